-- Which process has begun to handle which event, and not ended. Unlogged: it costs no WAL and no wait for the disk at
-- each group of events, and outlives the death of a worker, which is all that it is for.
CREATE UNLOGGED TABLE begun_event (
    consumer text NOT NULL,
    message_id uuid NOT NULL,
    process_id uuid NOT NULL,
    begun_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (consumer, message_id, process_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
