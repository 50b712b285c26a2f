-- What belongs to a tenant says so in its row. What is in a table already belongs to `demo`, the only tenant that the
-- seed has written for, or to the tenant of its job. A row of a job that is gone belongs to `system`.

ALTER TABLE customer_order ADD COLUMN tenant text NOT NULL DEFAULT 'demo';
ALTER TABLE customer_order ALTER COLUMN tenant DROP DEFAULT;
ALTER TABLE customer_order DROP CONSTRAINT customer_order_pkey;
ALTER TABLE customer_order ADD PRIMARY KEY (tenant, number);

-- Reports read a period of one tenant in this order.
DROP INDEX customer_order_by_time;
CREATE INDEX customer_order_by_time ON customer_order (tenant, placed_at, number);

-- The id of an email or an SMS is made from the id of its job.
ALTER TABLE mailbox_message ADD COLUMN tenant text NOT NULL DEFAULT 'system';
ALTER TABLE mailbox_message ALTER COLUMN tenant DROP DEFAULT;
UPDATE mailbox_message
   SET tenant = job.tenant
  FROM job
 WHERE job.id = substring(message_id FROM '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')::uuid;
CREATE INDEX mailbox_message_by_tenant ON mailbox_message (tenant, id);

ALTER TABLE upload ADD COLUMN tenant text NOT NULL DEFAULT 'system';
ALTER TABLE upload ALTER COLUMN tenant DROP DEFAULT;
UPDATE upload
   SET tenant = job.tenant
  FROM job
 WHERE job.kind = 'image.resize' AND job.payload->>'upload' = upload.key;

DROP INDEX file_by_job;
CREATE INDEX file_by_job ON file (tenant, job_id);

ALTER TABLE webhook_delivery ADD COLUMN tenant text;
UPDATE webhook_delivery
   SET tenant = webhook_endpoint.tenant
  FROM webhook_endpoint
 WHERE webhook_endpoint.id = endpoint_id;
ALTER TABLE webhook_delivery ALTER COLUMN tenant SET NOT NULL;
DROP INDEX webhook_delivery_by_endpoint;
CREATE INDEX webhook_delivery_by_endpoint ON webhook_delivery (tenant, endpoint_id, job_id);

ALTER TABLE webhook_attempt ADD COLUMN tenant text;
UPDATE webhook_attempt
   SET tenant = webhook_delivery.tenant
  FROM webhook_delivery
 WHERE webhook_delivery.job_id = webhook_attempt.job_id;
ALTER TABLE webhook_attempt ALTER COLUMN tenant SET NOT NULL;
DROP INDEX webhook_attempt_by_job;
CREATE INDEX webhook_attempt_by_job ON webhook_attempt (tenant, job_id, id);
