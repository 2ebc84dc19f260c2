import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientSession, type MongoClient, MongoError, MongoErrorLabel } from 'mongodb';
import { InventoryError } from '../inventory.error.js';
import { OPERATION_TIMEOUT_MS } from './mongo-client.js';

/** How long a transaction is begun again after others changed its documents first. */
export interface RetryLimits {
  readonly attempts: number;
  /** Time for all attempts together, in milliseconds. */
  readonly budgetMs: number;
}

const defaults: RetryLimits = { attempts: 50, budgetMs: 10_000 };
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
const COMMIT_TRIES = 3;

/**
 * Multi-document transactions on one snapshot, committed by a majority. The driver's `withTransaction` retries for
 * two minutes, longer than a consumer may keep its partition: this one gives up in time, and says so.
 */
export class Transactions {
  constructor(
    private readonly client: MongoClient,
    private readonly limits: RetryLimits = defaults,
  ) {}

  /**
   * Runs `work` and commits it. Work that other writers got in the way of is begun again from nothing, so it may do
   * nothing but use the session it is given.
   *
   * @param signal gives up between two attempts
   * @throws InventoryError TRANSACTION_NOT_COMMITTED when the limits are used up
   * @throws whatever `work` throws that no new attempt can mend
   */
  async run<T>(work: (session: ClientSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const end = performance.now() + this.limits.budgetMs;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.#attempt(work);
      } catch (error) {
        if (!hasLabel(error, MongoErrorLabel.TransientTransactionError)) {
          throw error;
        }
        if (attempt >= this.limits.attempts || performance.now() >= end) {
          throw new InventoryError(
            'TRANSACTION_NOT_COMMITTED',
            `the transaction was not committed in ${attempt} attempts: ${error.message}`,
            { cause: error },
          );
        }
        await sleep(pauseAfter(attempt), undefined, { signal });
      }
    }
  }

  async #attempt<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    await using session = this.client.startSession();
    session.startTransaction({
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority' },
      readPreference: 'primary',
      maxCommitTimeMS: OPERATION_TIMEOUT_MS,
    });
    const result = await work(session);
    await commit(session);
    return result;
  }
}

/** A commit whose answer was lost can be asked for again without harm: the server remembers it. */
async function commit(session: ClientSession): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.commitTransaction();
    } catch (error) {
      const unknown = hasLabel(error, MongoErrorLabel.UnknownTransactionCommitResult);
      if (!unknown || attempt >= COMMIT_TRIES) {
        throw error;
      }
    }
  }
}

/** Random, so that those who collided part; growing, so that many of them do. */
function pauseAfter(attempt: number): number {
  return Math.random() * Math.min(FIRST_PAUSE_MS * 1.5 ** attempt, LONGEST_PAUSE_MS);
}

function hasLabel(error: unknown, label: string): error is MongoError {
  return error instanceof MongoError && error.hasErrorLabel(label);
}
