-- What happens to a job is a job update. An event is a fact that subscribers handle.
ALTER TABLE job_event RENAME TO job_update;
ALTER TABLE job_update RENAME CONSTRAINT job_event_pkey TO job_update_pkey;
ALTER INDEX job_event_by_transaction RENAME TO job_update_by_transaction;
