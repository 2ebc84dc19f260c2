CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "aggregatetype" TEXT NOT NULL,
    "aggregateid" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" BYTEA NOT NULL,
    "traceparent" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "outbox_created_at_idx" ON "outbox"("created_at");

CREATE TABLE "inbox" (
    "event_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "handled_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("event_id")
);

CREATE INDEX "inbox_handled_at_idx" ON "inbox"("handled_at");

-- Inserts only: the rows that OutboxConfirmer removes are not changes to publish.
CREATE PUBLICATION "orders_outbox" FOR TABLE "outbox" WITH (publish = 'insert');
