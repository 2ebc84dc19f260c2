import { eventually } from '@millrace/testing';
import type { MongoClient } from 'mongodb';
import type pg from 'pg';
import type { Databases } from '../../testing/databases.js';
import { randomFrom } from './random.js';

export interface LoadOptions {
  readonly databases: Databases;
  /** Tables, each a pair with the collection of the same name. */
  readonly tables: readonly string[];
  /** Keys of each table: 1 to this. */
  readonly keys: number;
  readonly seed: number;
  /** Writers on each side. */
  readonly writers: number;
  /** A table and a collection of no pair, written meanwhile as simply: how long a write takes without a bridge. */
  readonly unpaired?: string;
  /** Is told of each key after it may have been written. */
  written?(table: string, id: number): void;
}

/** Of the applications' own making, or what any writer may cost another: a key that exists, a write conflict. No deadlock. */
const EXPECTED_ERRORS = ['mongo 11000', 'mongo 112', 'postgres 23505'];

/** Of a document, for a writer on its side. */
interface Documents {
  readonly client: MongoClient;
  readonly database: string;
}

/**
 * Applications that write both sides of pairs as fast as they can, the same things in the same order for the same
 * seed: rows alone and several in a transaction, behind savepoints and exception blocks, under new keys; documents
 * alone and several in a transaction. Each write carries a note that no other does.
 */
export class TwoWayLoad implements AsyncDisposable {
  /** How often each error came to an application, by the database's own code. */
  readonly errors: Record<string, number> = {};
  /** Milliseconds of an application's longest wait for one of its writes, on each side. */
  readonly longestMs = { postgres: 0, mongo: 0, unpaired: 0 };
  writes = 0;
  #over = false;
  #notes = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(readonly options: LoadOptions) {}

  /** The errors that an application would not have met without a bridge. */
  get unexpectedErrors(): string[] {
    return Object.keys(this.errors).filter((error) => !EXPECTED_ERRORS.includes(error));
  }

  async start(): Promise<void> {
    const { databases, writers, seed } = this.options;
    const running: Promise<void>[] = [];
    for (let i = 0; i < writers; i++) {
      const client = await databases.postgres('app');
      running.push(this.#run('postgres', seed + i, (...turn) => this.#writeRow(client, ...turn)));
      const documents = { client: await databases.mongo('app'), database: databases.name };
      running.push(
        this.#run('mongo', seed + 1_000 + i, (...turn) => this.#writeDocument(documents, ...turn)),
      );
    }
    const { unpaired } = this.options;
    if (unpaired !== undefined) running.push(this.#writeUnpaired(unpaired));
    this.#running = Promise.all(running);
  }

  /** Resolves when so many more writes have been made, or have failed. */
  async written(more: number): Promise<void> {
    const until = this.writes + more;
    await eventually(`${more} more writes`, 60_000, () => this.writes >= until);
  }

  /** Resolves when the last write has ended. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(
    side: 'postgres' | 'mongo',
    seed: number,
    write: (pick: (n: number) => number, table: string, ids: [number, number], note: string) => Promise<void>,
  ): Promise<void> {
    const random = randomFrom(seed);
    const pick = (n: number) => Math.floor(random() * n);
    const { tables, keys, written } = this.options;
    while (!this.#over) {
      const table = tables[pick(tables.length)] ?? '';
      // In the order of keys: applications of their own accord never meet a deadlock.
      const ids = [1 + pick(keys), 1 + pick(keys)].sort((a, b) => a - b) as [number, number];
      const began = performance.now();
      await write(pick, table, ids, `${side[0]}${++this.#notes}`);
      this.longestMs[side] = Math.max(this.longestMs[side], performance.now() - began);
      this.writes++;
      for (const id of ids) written?.(table, id);
    }
  }

  async #writeUnpaired(table: string): Promise<void> {
    const { databases, keys } = this.options;
    const client = await databases.postgres('app');
    const documents = (await databases.documents('app')).collection<{ _id: number }>(table);
    for (let n = 1; !this.#over; n++) {
      const began = performance.now();
      const id = n % keys;
      await client.query(
        `insert into ${table} (id, note) values (${id}, 'u${n}') on conflict (id) do update set note = excluded.note`,
      );
      const half = performance.now();
      await documents.updateOne({ _id: id }, { $set: { note: `u${n}` } }, { upsert: true });
      const slower = Math.max(half - began, performance.now() - half);
      this.longestMs.unpaired = Math.max(this.longestMs.unpaired, slower);
    }
  }

  async #writeRow(
    client: pg.Client,
    pick: (n: number) => number,
    table: string,
    [a, b]: [number, number],
    note: string,
  ): Promise<void> {
    const set = (id: number, text: string) =>
      `update ${table} set note = '${text}', balance = ${pick(1_000)}.25 where id = ${id}`;
    const upsert = (id: number, text: string) =>
      `insert into ${table} (id, name, note) values (${id}, 'p', '${text}')
       on conflict (id) do update set note = excluded.note`;
    const kind = pick(14);
    const statements = [
      set(a, note),
      `delete from ${table} where id = ${a}`,
      upsert(a, note),
      `update ${table} set id = ${b} where id = ${a}`,
      `begin; ${set(a, note)}; savepoint s; ${set(b, `${note}b`)}; rollback to s; commit`,
      `begin; ${set(a, note)}; savepoint s; ${set(b, `${note}b`)}; release s; commit`,
      `do $$ begin
         ${set(a, note)};
         begin insert into ${table} (id, note) values (${b}, '${note}b');
         exception when unique_violation then ${set(b, `${note}c`)}; end;
       end $$`,
    ];
    const chosen = [0, 0, 0, 0, 0, 1, 2, 2, 3, 4, 4, 5, 5, 6][kind] ?? 0;
    try {
      await client.query(statements[chosen] as string);
    } catch (error) {
      this.#failed('postgres', error);
      await client.query('rollback');
    }
  }

  async #writeDocument(
    { client, database }: Documents,
    pick: (n: number) => number,
    table: string,
    [a, b]: [number, number],
    note: string,
  ): Promise<void> {
    const collection = client.db(database).collection<{ _id: number; note: string }>(table);
    const changes = { note, updated_at: new Date(), balance: pick(10_000) / 1_000 };
    const kind = pick(12);
    try {
      if (kind < 5) await collection.updateOne({ _id: a }, { $set: changes });
      else if (kind === 5) await collection.deleteOne({ _id: a });
      else if (kind < 8) await collection.updateOne({ _id: a }, { $set: changes }, { upsert: true });
      else if (kind === 8) await collection.replaceOne({ _id: a }, changes, { upsert: true });
      else {
        await using session = client.startSession();
        session.startTransaction();
        await collection.updateOne({ _id: a }, { $set: changes }, { session });
        await collection.updateOne({ _id: b }, { $set: { ...changes, note: `${note}b` } }, { session });
        await session.commitTransaction();
      }
    } catch (error) {
      this.#failed('mongo', error);
    }
  }

  #failed(side: string, error: unknown): void {
    const { code, message } = error as { code?: string | number; message: string };
    const name = `${side} ${code ?? message}`;
    this.errors[name] = (this.errors[name] ?? 0) + 1;
  }
}
