-- Files that callers uploaded for jobs. The row exists from before the first byte is stored until the file is removed.
CREATE TABLE upload (
    key text NOT NULL,
    tenant text NOT NULL,
    created_at timestamptz(6) NOT NULL,
    PRIMARY KEY (key)
);

CREATE INDEX upload_by_time ON upload (created_at);

-- Which job needs an upload. The table belongs to the core, the index to this part: the core knows no kind of job.
CREATE INDEX job_by_upload ON job ((payload->>'upload')) WHERE kind = 'image.resize';
