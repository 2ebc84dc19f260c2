import { expect, it } from 'vitest';
import { GUARD_PATIENCE, longestWaits, POSTGRES_PATIENCE, PROMISED_MS } from './patience.js';

/** For a look at what is open, a busy machine, and the statement that ends it. */
const ROOM_MS = 100;

it.each(Object.entries(longestWaits()))('%s lets no application wait for a second: %i ms', (_, ms) => {
  expect(ms + ROOM_MS).toBeLessThanOrEqual(PROMISED_MS);
});

it('ends a statement before Postgres looks for deadlocks', () => {
  expect(POSTGRES_PATIENCE.statementMs).toBeLessThan(PROMISED_MS);
});

it('takes no bridge for stopped that misses one heartbeat', () => {
  expect(GUARD_PATIENCE.silentMs).toBeGreaterThan(2 * GUARD_PATIENCE.heartbeatMs);
});
