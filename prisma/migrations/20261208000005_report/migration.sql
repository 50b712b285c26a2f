-- The orders that reports contain. "order" is a reserved word of SQL.
CREATE TABLE customer_order (
    tenant text NOT NULL,
    number bigint NOT NULL,
    placed_at timestamptz(6) NOT NULL,
    customer text NOT NULL,
    country text NOT NULL,
    product text NOT NULL,
    quantity integer NOT NULL,
    unit_price_cents integer NOT NULL,
    total_cents bigint NOT NULL,
    status text NOT NULL,
    note text,
    PRIMARY KEY (tenant, number)
);

-- Reports read a period of one tenant in this order.
CREATE INDEX customer_order_by_time ON customer_order (tenant, placed_at, number);
