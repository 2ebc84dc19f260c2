import { randomBytes } from 'node:crypto';
import { type Collection, MongoClient } from 'mongodb';
import { MongoCheckpoints } from '../../apps/cdc-bridge/dist/checkpoints/mongo.checkpoints.js';
import { compact } from '../../apps/cdc-bridge/dist/sinks/compaction.js';
import { MongoSink } from '../../apps/cdc-bridge/dist/sinks/mongo.sink.js';
import { compare, type Side } from '../harness/compare.ts';
import type { Row } from '../harness/table.ts';
import { type Batch, changesFor } from './changes.ts';
import { inBatches, OPTIONS } from './sides.ts';

const position = { pipeline: 'bench', topic: 'bench', partition: 0 };

/** Measures the MongoDB sink in databases of its own, which it removes. */
export async function mongoBench(adminUrl: string): Promise<Row[]> {
  await using client = await MongoClient.connect(adminUrl);
  const name = `bench_${randomBytes(5).toString('hex')}`;
  const [db, own] = [client.db(name), client.db(`${name}_bridge`)];
  try {
    for (const collection of ['of_rows', 'of_bulk']) await db.createCollection(collection);
    const batches = changesFor('_id');
    const checkpoints = new MongoCheckpoints(own);
    await checkpoints.start(position, 0n);
    const sink = sinkSide(await MongoSink.open(client, checkpoints, db, 'of_sink'), batches);
    const measure = async (baseline: Side, atLeast: number): Promise<Row> => ({
      what: sink.name,
      baseline: baseline.name,
      atLeast,
      comparison: await compare(sink, baseline, OPTIONS),
    });
    return [
      await measure(updateSide(db.collection('of_rows'), batches), 10),
      await measure(bulkSide(db.collection('of_bulk'), batches), 0.8),
    ];
  } finally {
    await db.dropDatabase();
    await own.dropDatabase();
  }
}

/** What the bridge does with a batch once it is decoded: fold it, write it, move the checkpoint. */
function sinkSide(sink: MongoSink, batches: readonly Batch[]): Side {
  let expected = 0n;
  return inBatches('MongoDB sink', batches, async ({ changes }) => {
    const next = expected + BigInt(changes.length);
    await sink.apply(compact(changes), { ...position, expected, next });
    expected = next;
  });
}

/** Each change a call of its own; no checkpoint. */
function updateSide(collection: Collection, batches: readonly Batch[]): Side {
  return inBatches('updateOne, one at a time', batches, async ({ changes }) => {
    for (const { fields } of changes) {
      const { _id, ...others } = fields;
      await collection.updateOne({ _id: _id as never }, { $set: others }, { upsert: true, ...MAJORITY });
    }
  });
}

/** The same documents in one call, outside of a transaction, and of each the last version only; no checkpoint. */
function bulkSide(collection: Collection, batches: readonly Batch[]): Side {
  return inBatches('bare bulkWrite', batches, async ({ changes }) => {
    const last = new Map(changes.map(({ key, fields }) => [key.text, fields]));
    const writes = [...last.values()].map((fields) => ({
      replaceOne: { filter: { _id: fields._id as never }, replacement: fields, upsert: true },
    }));
    await collection.bulkWrite(writes, { ordered: false, ...MAJORITY });
  });
}

/** As the sink's transactions are confirmed. */
const MAJORITY = { writeConcern: { w: 'majority' } } as const;
