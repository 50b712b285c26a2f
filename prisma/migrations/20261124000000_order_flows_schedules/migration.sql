-- Order per key: the position rises in the order of the commits of one key (the enqueue holds a lock on the key).
CREATE SEQUENCE "job_order";

ALTER TABLE "job"
    ADD COLUMN "order_key" TEXT,
    ADD COLUMN "order_position" BIGINT,
    ADD COLUMN "parent_id" UUID,
    ADD COLUMN "open_children" INTEGER NOT NULL DEFAULT 0,
    ADD CONSTRAINT "job_order_complete" CHECK (("order_key" IS NULL) = ("order_position" IS NULL)),
    ADD CONSTRAINT "job_open_children_counted" CHECK ("open_children" >= 0);

CREATE INDEX "job_open_by_order" ON "job"("order_key", "order_position")
    WHERE "order_key" IS NOT NULL AND "state" IN ('waiting', 'queued', 'active');

CREATE INDEX "job_by_parent" ON "job"("parent_id") WHERE "parent_id" IS NOT NULL;

ALTER TABLE "outbox"
    ADD COLUMN "order_key" TEXT,
    ADD COLUMN "order_position" BIGINT;

-- Rows of a key wait for each other, however long they have been due. Apart, so that they are not read each time.
DROP INDEX "outbox_by_due";
CREATE INDEX "outbox_by_due" ON "outbox"("broker", "priority", "publish_at") WHERE "order_key" IS NULL;
CREATE INDEX "outbox_by_order" ON "outbox"("broker", "order_key", "order_position") WHERE "order_key" IS NOT NULL;

ALTER TABLE "dead_letter"
    ADD COLUMN "source" TEXT,
    ADD COLUMN "redriven_at" TIMESTAMPTZ(6),
    ADD COLUMN "redriven_by" TEXT;

CREATE INDEX "dead_letter_by_time" ON "dead_letter"("created_at", "id");
CREATE INDEX "dead_letter_by_job" ON "dead_letter"("job_id") WHERE "job_id" IS NOT NULL;

-- When each schedule is due next. One row per schedule, moved on by whichever relay gets there first.
CREATE TABLE "schedule" (
    "name" TEXT NOT NULL,
    "timetable" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "schedule_pkey" PRIMARY KEY ("name")
);
