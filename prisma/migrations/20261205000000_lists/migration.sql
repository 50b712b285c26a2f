-- Every list of jobs reads the newest rows of one state, one kind and one tenant, and merges a few such lists. One index
-- serves all of them, the board, and the sweeper, which reads the active rows. It takes the place of an index by tenant
-- and of two for single states, so a job costs fewer index entries than before.
-- What is queued for a later time than it was accepted at, by a delay or after an attempt, are groups of their own.
CREATE INDEX job_by_state ON job (state, kind, (state = 'queued' AND run_at > created_at),
                                  (state = 'queued' AND run_at > created_at AND attempt > 0), tenant, id);

-- Of those groups: what is due by now, and what is not, whichever there are more of. Without an attempt it is scheduled,
-- after one it is retrying. A job that is to run at once has no entry.
CREATE INDEX job_deferred ON job (kind, tenant, (attempt > 0), run_at) INCLUDE (attempt, id)
    WHERE state = 'queued' AND run_at > created_at;

DROP INDEX job_by_tenant;
DROP INDEX job_open;
DROP INDEX job_failed;

-- Dead letters by what a list asks for. A kind may be the text of a stranger, which is longer than an entry of an index.
CREATE INDEX dead_letter_by_kind ON dead_letter (left(kind, 100), created_at, id);
CREATE INDEX dead_letter_by_broker ON dead_letter (broker, created_at, id);
CREATE INDEX dead_letter_by_redriven ON dead_letter ((redriven_at IS NOT NULL), created_at, id);
