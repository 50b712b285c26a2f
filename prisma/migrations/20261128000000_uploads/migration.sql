-- What callers have uploaded for jobs, from before the first byte is stored until it is removed.
CREATE TABLE upload (
    key text NOT NULL,
    created_at timestamptz(6) NOT NULL,
    PRIMARY KEY (key)
);

CREATE INDEX upload_by_time ON upload (created_at);

-- Which job needs an upload.
CREATE INDEX job_by_upload ON job ((payload->>'upload')) WHERE kind = 'image.resize';
