import {
  type Compared,
  type Comparison,
  compareSides,
  eventually,
  type StackEndpoints,
} from '@millrace/testing';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import { expect } from 'vitest';

const same = (name: string, kind: Compared['kind']): Compared => ({ column: name, field: name, kind });

/** The pipelines of the project's own file, by the collection: what must be equal, said once more. */
const PIPELINES: Readonly<Record<string, Comparison>> = {
  orders: {
    table: 'orders',
    key: [{ column: 'id', field: '_id', kind: 'uuid' }],
    fields: [
      ...['customer_id', 'currency', 'status', 'reason', 'idempotency_key'].map((name) => same(name, 'text')),
      // Of 38 digits, which a Decimal128 has not.
      same('total', 'text'),
      same('request_hash', 'bytes'),
      same('placed_at', 'instant'),
      same('updated_at', 'instant'),
    ],
  },
  stock: {
    table: 'stock_levels',
    key: [{ column: 'sku', field: '_id', kind: 'text' }],
    fields: [{ column: 'on_hand', field: 'onHand', kind: 'integer' }, same('reserved', 'integer')],
    partly: 'collection',
  },
  customers: {
    table: 'customers',
    key: [{ column: 'id', field: '_id', kind: 'text' }],
    fields: [
      same('name', 'text'),
      same('email', 'text'),
      { column: 'credit_limit', field: 'creditLimit', kind: 'decimal' },
      { column: 'updated_at', field: 'updatedAt', kind: 'instant' },
    ],
  },
};

/**
 * Waits until both sides of every pipeline are equal, as the tests' own comparison has it.
 * @returns how many rows each was found to have
 */
export async function untilPipelinesEqual(
  { databases }: StackEndpoints,
  pipelines = Object.keys(PIPELINES),
): Promise<Record<string, number>> {
  const postgres = new pg.Pool({ connectionString: databases.orders.owner, max: 1, query_timeout: 30_000 });
  await using mongo = await MongoClient.connect(databases.inventory.owner, { socketTimeoutMS: 30_000 });
  const rows: Record<string, number> = {};
  try {
    for (const name of pipelines) {
      const found = await eventually(`${name} to be equal on both sides`, 60_000, async () => {
        const comparison = PIPELINES[name] as Comparison;
        const compared = await compareSides(postgres, mongo.db().collection(name), comparison);
        expect(compared).toMatchObject({ onlyInTable: [], onlyInCollection: [], different: [] });
        return compared;
      });
      rows[name] = found.rows;
    }
    return rows;
  } finally {
    await postgres.end();
  }
}
