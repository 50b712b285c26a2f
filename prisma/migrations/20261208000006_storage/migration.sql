-- The owner and the name of each file. Its bytes are in the file store, under the key.
CREATE TABLE file (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant text NOT NULL,
    job_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id)
);

CREATE INDEX file_by_job ON file (tenant, job_id);
