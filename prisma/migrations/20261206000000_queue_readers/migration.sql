-- Which worker process takes messages from which queue, and what keeps it from that. Unlogged: it is written every two
-- seconds, and is of no use after a crash.
CREATE UNLOGGED TABLE queue_reader (
    process_id uuid NOT NULL,
    broker text NOT NULL,
    queue text NOT NULL,
    trouble text,
    seen_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (process_id, broker, queue)
);
