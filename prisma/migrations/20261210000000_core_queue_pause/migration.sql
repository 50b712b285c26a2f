-- Queues that an operator has paused.
CREATE TABLE queue_pause (
    queue text NOT NULL,
    paused_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    paused_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (queue)
);

-- When a row of a paused queue was due. Its `publish_at` is infinite until a resume brings it back.
ALTER TABLE outbox ADD COLUMN held_from timestamptz(6);

CREATE INDEX outbox_held ON outbox (queue, held_from, id) WHERE held_from IS NOT NULL;
