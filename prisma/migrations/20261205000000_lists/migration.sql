-- Every list of jobs reads the newest rows of one state, one kind and one tenant, and merges a few such lists. One index
-- serves all of them, and the sweeper, which reads the active rows. It takes the place of an index by tenant and of two
-- for single states, so a job costs fewer index entries than before.
CREATE INDEX job_by_state ON job (state, kind, tenant, id);

-- Of the queued rows: what is due, and what waits for its time, whichever there are more of. Without an attempt it is
-- scheduled, after one it is retrying.
CREATE INDEX job_queued ON job (queue, kind, tenant, (attempt > 0), run_at) WHERE state = 'queued';

DROP INDEX job_by_tenant;
DROP INDEX job_open;
DROP INDEX job_failed;
