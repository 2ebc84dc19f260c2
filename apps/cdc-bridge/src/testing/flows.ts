import {
  type Compared,
  type Comparison,
  compareSides,
  type Differences,
  eventually,
} from '@millrace/testing';
import { type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { expect } from 'vitest';
import type { VerifyReport } from '../verification/verify-report.js';
import { BridgeUnderTest } from './bridge-under-test.js';

const WITHIN_MS = 240_000;

/** Of two sides that are equal. */
export const EQUAL = { onlyInTable: [], onlyInCollection: [], different: [] };
/** Of a verification that found none. */
export const NO_DIFFERENCE = { missing: 0, extra: 0, different: 0 };

export const ID: Compared = { column: 'id', field: '_id', kind: 'integer' };
export const N: Compared = { column: 'n', field: 'n', kind: 'integer' };
/** A table of `id` and `n`, and the collection that it equals. */
export const keyed = (table: string): Comparison => ({ table, key: [ID], fields: [N] });
/** The table `bag`, of `n` alone. */
export const BAG: Comparison = { table: 'bag', key: [], fields: [N] };
/** A document of a collection that `keyed` compares. */
export interface Item {
  _id: number;
  n: Int32;
}
export const item = (_id: number): Item => ({ _id, n: new Int32(_id) });

export const text = (name: string): Compared => ({ column: name, field: name, kind: 'text' });

/** Tables and collections of a test's own, and the bridge between them. Disposing removes all of it. */
export class Flows implements AsyncDisposable {
  private constructor(
    readonly bridge: BridgeUnderTest,
    /** As the owner, who may also read what the bridge wrote. */
    readonly owner: pg.Client,
    /** As the application. */
    readonly app: pg.Client,
    readonly documents: Db,
  ) {}

  /** @param tables the statements that make them; the application may write them */
  static async create(stack: BridgeUnderTest['stack'], tables: string): Promise<Flows> {
    const bridge = await BridgeUnderTest.create(stack);
    const { databases } = bridge;
    const owner = await databases.postgres('owner');
    await owner.query(tables);
    await owner.query(
      `grant select, insert, update, delete, truncate on all tables in schema public to ${databases.name}_app`,
    );
    return new Flows(bridge, owner, await databases.postgres('app'), await databases.documents('app'));
  }

  /** The entry of a table that flows into a collection of its name. */
  entry(table: string, more: object = {}): object {
    const { postgres, mongo } = this.bridge.names;
    return {
      name: table,
      from: { postgres, table: `public.${table}` },
      to: { mongo, collection: table },
      ...more,
    };
  }

  /** The entry of a collection of `Item`s that flows into a table of its name. */
  itemsEntry(collection: string): object {
    const { postgres, mongo } = this.bridge.names;
    return {
      name: collection,
      from: { mongo, collection },
      to: { postgres, table: `public.${collection}` },
      columns: { id: '_id', n: 'n' },
    };
  }

  compare(comparison: Comparison, collection = comparison.table): Promise<Differences> {
    return compareSides(this.owner, this.documents.collection(collection), comparison);
  }

  /** Waits until both sides are equal, as the tests' own comparison has it. */
  untilEqual(comparison: Comparison, collection = comparison.table): Promise<Differences> {
    return eventually(`${collection} to be equal`, WITHIN_MS, async () => {
      const found = await this.compare(comparison, collection);
      expect(found).toMatchObject(EQUAL);
      return found;
    });
  }

  verify(pipeline: string): Promise<VerifyReport> {
    return this.bridge.ask('POST', `/pipelines/${pipeline}/verify`);
  }

  /** Waits until the sweep for a reason is done. */
  async untilSwept(pipeline: string, reason: RegExp): Promise<void> {
    await eventually(`${pipeline} to be swept`, WITHIN_MS, async () => {
      const isDone = this.bridge.instances
        .flatMap((instance) => instance.lines())
        .some(({ msg, pipeline: of }) => {
          return of === pipeline && String(msg).startsWith('swept') && reason.test(String(msg));
        });
      return isDone && (await this.bridge.status(pipeline)).sweep === null;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.bridge[Symbol.asyncDispose]();
  }
}
