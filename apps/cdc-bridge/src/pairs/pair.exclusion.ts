import type { Pool, PoolClient } from 'pg';
import { isLockTimeout } from '../postgres/lock-timeout.js';

/** Rounds under way end within a statement's time. */
const WAIT = '5s';

/** Someone else has the pair to themselves. */
export class PairTaken extends Error {
  readonly code = 'PAIR_TAKEN';
  readonly canRetry = true;

  constructor(pair: string, cause: unknown) {
    super(`the pair ${pair} is being repaired from a side already, or its rounds do not end`, { cause });
  }
}

/**
 * An SQL expression: whether the transaction may work on the pair beside other workers, which it then keeps from
 * having the pair to themselves until it ends. It waits for nobody.
 * @param pair an expression for `lockNameOf`
 */
export const besideOthers = (pair: string) =>
  `pg_try_advisory_xact_lock_shared(hashtextextended(${pair}, 0))`;

/** What the lock of a pair is named by; its keys' begin so too, and none of them is empty. */
export const lockNameOf = (pair: string) => `${pair} `;

/**
 * Does something while no other worker of the pair, in any process, can begin a round; waits for those under way.
 * @param work is told when the connection that keeps the others out has broken
 * @throws PairTaken
 */
export async function withoutOthers<T>(
  pool: Pool,
  pair: string,
  work: (broken: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const broken = new AbortController();
  client.on('error', (error) => broken.abort(error));
  try {
    await take(client, pair);
    return await work(broken.signal);
  } finally {
    client.release(true); // the lock goes with the connection
  }
}

async function take(client: PoolClient, pair: string): Promise<void> {
  await client.query(`set lock_timeout = '${WAIT}'; set statement_timeout = 0`);
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockNameOf(pair)]);
  } catch (error) {
    throw isLockTimeout(error) ? new PairTaken(pair, error) : error;
  }
}
