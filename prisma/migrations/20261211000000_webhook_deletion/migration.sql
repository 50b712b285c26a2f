-- Each deleted delivery looks for its attempts, and each deleted endpoint for its deliveries, by these columns alone.
CREATE INDEX webhook_attempt_by_delivery ON webhook_attempt (job_id);
CREATE INDEX webhook_delivery_by_endpoint_id ON webhook_delivery (endpoint_id);
