-- Whose event it is, and which transaction wrote it: what a stream over all jobs of a tenant resumes by. Transactions
-- get their numbers in one order and commit in another. docs/decisions/0019-live-progress.md tells how none is missed.
ALTER TABLE job_event
    ADD COLUMN tenant text,
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

UPDATE job_event SET tenant = job.tenant FROM job WHERE job.id = job_event.job_id;
-- Of jobs that are gone.
DELETE FROM job_event WHERE tenant IS NULL;
ALTER TABLE job_event ALTER COLUMN tenant SET NOT NULL;

CREATE INDEX job_event_by_transaction ON job_event (tenant, xid);
