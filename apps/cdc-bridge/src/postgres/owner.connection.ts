import pg from 'pg';
import type { Step } from '../databases/step.js';
import { isLockTimeout } from './lock-timeout.js';

/** A user's transaction that holds a table is waited for so long, and everyone else behind it. */
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/** A connection of a database's owner, who waits for no lock longer than five seconds. Close it. */
export async function connectOwner(url: string): Promise<pg.Client> {
  const owner = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
  });
  owner.on('error', () => {}); // the statement under way tells of it
  await owner.connect();
  return owner;
}

/**
 * Runs each step in a transaction of its own. In a common one, tables and their rows in the catalogue would stay
 * locked while the next are waited for, and the application, or an autovacuum, would meet a deadlock.
 * @throws StepFailed; the steps before it stay done
 */
export async function runSteps(owner: pg.ClientBase, steps: readonly Step[]): Promise<void> {
  for (const { what, sql } of steps) {
    // Several statements in one query are one transaction.
    await owner.query(sql).catch((error: Error) => {
      throw new StepFailed(what, error);
    });
  }
}

/** A change to a user's database was refused: nothing of it is done. */
export class StepFailed extends Error {
  readonly code = 'STEP_FAILED';

  constructor(what: string, cause: Error) {
    const fix = isLockTimeout(cause)
      ? 'a transaction holds it for longer than 5 s: end it, then'
      : 'when that is mended,';
    super(`${what}: ${cause.message}; ${fix} run this again: it goes on from here`, { cause });
  }
}
