-- The service's role changes rows and nothing else; the connector's role reads the outbox and nothing else.
-- Both are created with the cluster, before any migration.
GRANT SELECT, INSERT, UPDATE ON "orders" TO "orders_app";
GRANT SELECT, INSERT ON "order_lines", "order_history" TO "orders_app";
GRANT USAGE ON SEQUENCE "order_history_sequence_seq" TO "orders_app";
GRANT SELECT, INSERT, DELETE ON "outbox" TO "orders_app";
-- UPDATE, because pruning locks the rows that it removes.
GRANT SELECT, INSERT, UPDATE, DELETE ON "inbox" TO "orders_app";

GRANT SELECT ON "outbox" TO "orders_cdc";
