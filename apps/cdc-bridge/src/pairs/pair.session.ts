import type { Pool } from 'pg';
import { POSTGRES_PATIENCE } from './patience.js';

/**
 * Settings of a pair's connections. Postgres looks for deadlocks after `deadlock_timeout`, one second unless
 * changed: the bridge never waits, nor sits idle, so long while it holds locks, and so is never part of one.
 * `deadlockReports` tells where it is shorter.
 */
export const PAIR_SESSION: Readonly<Record<string, string>> = {
  application_name: 'millrace-bridge',
  // A snapshot of the whole transaction would be older than the locks that it takes.
  default_transaction_isolation: 'read committed',
  idle_in_transaction_session_timeout: `${POSTGRES_PATIENCE.idleMs}ms`,
  lock_timeout: `${POSTGRES_PATIENCE.lockMs}ms`,
  // Rows that a policy hides would look deleted: rather an error.
  row_security: 'off',
  statement_timeout: `${POSTGRES_PATIENCE.statementMs}ms`,
};

const DEADLOCK_TIMEOUT_MS = 1_000;

/** What an application may meet because of the pair, where the database looks for deadlocks earlier. */
export async function deadlockReports(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ ms: number }>(
    `select setting::int as ms from pg_settings where name = 'deadlock_timeout'`,
  );
  const { ms } = rows[0] ?? { ms: DEADLOCK_TIMEOUT_MS };
  if (ms >= DEADLOCK_TIMEOUT_MS) return [];
  return [
    `deadlock_timeout is ${ms} ms: Postgres may end an application’s transaction that waits for the bridge ` +
      `as a deadlock; set it to ${DEADLOCK_TIMEOUT_MS} ms or more`,
  ];
}
