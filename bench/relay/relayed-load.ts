import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type pg from 'pg';

export const CHANGES_PER_SECOND = 1_000;
/** So many in one transaction: a hundred transactions a second. */
const PER_TRANSACTION = 10;
const ARRIVAL_TIMEOUT_MS = 60_000;

export interface LoadRound {
  /** Of each change: milliseconds from its commit until it was seen in the sink's collection. */
  readonly latencies: readonly number[];
  /** Changes that were committed in each second; below the rate that is meant where Postgres is slower than that. */
  readonly perSecond: number;
}

/** Writes at a steady rate to one side's table, and sees in MongoDB when each row has come. */
export class RelayedLoad implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #changes: ReturnType<Collection<{ _id: number }>['watch']>;
  readonly #arrived = new Map<number, number>();
  #nextId = 0;

  constructor(client: pg.Client, collection: Collection<{ _id: number }>) {
    this.#client = client;
    this.#changes = collection.watch([{ $project: { documentKey: 1 } }], { maxAwaitTimeMS: 100 });
    this.#changes.on('change', (change) => {
      if ('documentKey' in change) this.#arrived.set(Number(change.documentKey._id), performance.now());
    });
  }

  /** @throws Error where a change does not come to the sink in time */
  async run(seconds: number): Promise<LoadRound> {
    const committed = new Map<number, number>();
    const begin = performance.now();
    const count = seconds * CHANGES_PER_SECOND;
    for (let done = 0; done < count; done += PER_TRANSACTION) {
      const due = begin + (done / CHANGES_PER_SECOND) * 1_000;
      if (due > performance.now()) await sleep(due - performance.now());
      for (const id of await this.#insert()) committed.set(id, performance.now());
    }
    const perSecond = (count / (performance.now() - begin)) * 1_000;
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS;
    while (![...committed.keys()].every((id) => this.#arrived.has(id))) {
      if (performance.now() > deadline) throw new Error('not every change came to the sink');
      await sleep(20);
    }
    const latencies = [...committed].map(([id, at]) => (this.#arrived.get(id) ?? Number.NaN) - at);
    this.#arrived.clear();
    return { latencies, perSecond };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes.close();
  }

  async #insert(): Promise<number[]> {
    const ids = Array.from({ length: PER_TRANSACTION }, () => ++this.#nextId);
    await this.#client.query({
      name: 'load',
      text: `insert into orders (id, customer, amount, note)
        select id, 'customer-' || id % 100, id / 7.0, repeat('note ', 10) from unnest($1::int[]) id`,
      values: [ids],
    });
    return ids;
  }
}
