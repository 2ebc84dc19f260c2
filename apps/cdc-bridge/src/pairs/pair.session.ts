/**
 * Settings of a pair's connections. Postgres looks for deadlocks after `deadlock_timeout`, one second unless
 * changed: the bridge never waits, nor sits idle, so long while it holds locks, and so is never part of one.
 */
export const PAIR_SESSION: Readonly<Record<string, string>> = {
  application_name: 'millrace-bridge',
  // A snapshot of the whole transaction would be older than the locks that it takes.
  default_transaction_isolation: 'read committed',
  idle_in_transaction_session_timeout: '900ms',
  lock_timeout: '100ms',
  // Rows that a policy hides would look deleted: rather an error.
  row_security: 'off',
  statement_timeout: '900ms',
};
