CREATE TYPE "order_status" AS ENUM ('placed', 'confirmed', 'rejected', 'cancelled', 'expired');

CREATE TABLE "orders" (
    "id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "status" "order_status" NOT NULL DEFAULT 'placed',
    "total" DECIMAL(38,4) NOT NULL,
    "reason" TEXT,
    "idempotency_key" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "orders_total_check" CHECK ("total" >= 0)
);

CREATE UNIQUE INDEX "orders_idempotency_key_key" ON "orders"("idempotency_key");
CREATE INDEX "orders_status_id_idx" ON "orders"("status", "id");
CREATE INDEX "orders_status_placed_at_idx" ON "orders"("status", "placed_at");

CREATE TABLE "order_lines" (
    "order_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "sku" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price" DECIMAL(18,4) NOT NULL,

    CONSTRAINT "order_lines_pkey" PRIMARY KEY ("order_id", "position"),
    CONSTRAINT "order_lines_quantity_check" CHECK ("quantity" > 0),
    CONSTRAINT "order_lines_unit_price_check" CHECK ("unit_price" >= 0)
);

ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_order_id_fkey"
    FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "order_history" (
    "sequence" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "handled" BOOLEAN NOT NULL,
    "changed" BOOLEAN NOT NULL,
    "status" "order_status" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "order_history_pkey" PRIMARY KEY ("sequence")
);

CREATE INDEX "order_history_order_id_sequence_idx" ON "order_history"("order_id", "sequence");

ALTER TABLE "order_history" ADD CONSTRAINT "order_history_order_id_fkey"
    FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Wakes the streams of every instance when the change commits. The payload is a hint: readers ask the history.
CREATE FUNCTION "notify_order_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('order_status', NEW."id"::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER "orders_status_changed" AFTER UPDATE OF "status" ON "orders"
    FOR EACH ROW WHEN (OLD."status" IS DISTINCT FROM NEW."status")
    EXECUTE FUNCTION "notify_order_status"();
