/**
 * An application waits less than so many milliseconds for what a bridge held that was killed or stopped: what
 * `longestWaits` adds up stays below, with room for the statements that look and end.
 */
export const PROMISED_MS = 1_000;

/** In Postgres, which ends a statement and an idle transaction of a pair by itself. */
export const POSTGRES_PATIENCE = { lockMs: 100, statementMs: 900, idleMs: 800 } as const;

/** In MongoDB, of an instance with the transactions that another one left. */
export const INSTANCE_PATIENCE = { lookEveryMs: 250, idleMs: 500 } as const;

/** In MongoDB, of the guard with its bridge: without a heartbeat for `silentMs` that one stands still. */
export const GUARD_PATIENCE = { heartbeatMs: 100, silentMs: 300, lookEveryMs: 100, idleMs: 400 } as const;

/** From when a bridge stands still until its transactions are ended, by each that ends them. */
export function longestWaits(): Readonly<Record<'postgres' | 'instance' | 'guard', number>> {
  const { silentMs, lookEveryMs, idleMs } = GUARD_PATIENCE;
  return {
    // A statement takes milliseconds, or waits for a lock; then the transaction sits idle.
    postgres: POSTGRES_PATIENCE.lockMs + POSTGRES_PATIENCE.idleMs,
    instance: INSTANCE_PATIENCE.idleMs + INSTANCE_PATIENCE.lookEveryMs,
    // Silence and idleness begin together.
    guard: Math.max(silentMs, idleMs) + lookEveryMs,
  };
}
