-- Whether a `job.finished` event is written when the job ends, as its definition said when it was enqueued. The
-- statements that end jobs read it here, so they need no list of kinds.
ALTER TABLE job ADD COLUMN announced boolean NOT NULL DEFAULT true;
