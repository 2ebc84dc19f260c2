import type { ClientConfig } from 'pg';

/** How long to wait for a connection. */
export const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

/** How every connection of the service is made: nothing waits without a bound. */
export function connectionOptions(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'order-service',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    // The server keeps the statement's bound; this one is for a server that no longer answers.
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
    keepAlive: true,
    // Prisma's adapter writes and reads timestamps without their zone.
    options: '-c TimeZone=UTC',
  };
}
