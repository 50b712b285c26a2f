-- Queues that an operator has paused.
CREATE TABLE queue_pause (
    queue text NOT NULL,
    paused_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    paused_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (queue)
);

-- The outbox rows of paused queues, which the relay has put off. A resume brings them back.
CREATE INDEX outbox_held ON outbox (queue) WHERE publish_at = timestamptz 'infinity';
