-- The orders database's half of a pair: cdc-bridge keeps it equal to the collection `customers` of the inventory
-- database. The constraints here are that collection's validator, so that neither side refuses what the other took.
-- The id is text, as "orders"."customer_id" is. Who changes a row sets "updated_at" to the time of the change.
CREATE TABLE "customers" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "credit_limit" DECIMAL(18,4) NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "customers_credit_limit_check" CHECK ("credit_limit" >= 0 AND "credit_limit" <> 'NaN')
);

GRANT SELECT, INSERT, UPDATE, DELETE ON "customers" TO "orders_app";
