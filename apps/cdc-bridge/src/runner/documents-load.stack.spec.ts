import { compareSides, eventually } from '@millrace/testing';
import type { Db } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';
import {
  DOCUMENT_COLLECTIONS,
  DOCUMENT_COLUMNS,
  type DocumentCollection,
  DocumentsLoad,
  documentsCompared,
  documentTable,
} from '../testing/load/documents.load.js';
import { LoadChecks } from '../testing/load/load.checks.js';
import { killLeader, killPart } from '../testing/stack-parts.js';
import { recordsIn } from '../testing/streamed-changes.js';

const SEED = 26_060;
const CLIENTS = 6;
/** Of each collection, before the bridge is there. */
const INITIAL = 60_000;
/** Single writes, and transactions over several documents: more writes than this. */
const TURNS = 9_000;
/** Debezium's `max.batch.size`: so many records are in one transaction of a snapshot. */
const MOST_POLLED = 2_048;

let bridge: BridgeUnderTest;
let load: DocumentsLoad;
let checks: LoadChecks;
let owner: pg.Client;
let documents: Db;

const topicOf = (collection: DocumentCollection) => bridge.topic({ collection });

beforeAll(async () => {
  bridge = await BridgeUnderTest.create(inject('stack'));
  owner = await bridge.databases.postgres('owner');
  documents = await bridge.databases.documents('app');
  load = await DocumentsLoad.create(bridge.databases, INITIAL, SEED);
  for (const collection of DOCUMENT_COLLECTIONS) await owner.query(documentTable(collection));
  checks = new LoadChecks(
    bridge,
    DOCUMENT_COLLECTIONS.map((collection) => ({
      name: `load-${collection}`,
      topic: topicOf(collection),
      compare: () => compareSides(owner, documents.collection(collection), documentsCompared(collection)),
    })),
  );
}, 240_000);

afterAll(() => bridge?.[Symbol.asyncDispose]());

async function carried(collection: DocumentCollection): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(`select count(*)::int as n from ${collection}`);
  return rows[0]?.n ?? 0;
}

it('ends equal where Connect is killed during the snapshot, which begins anew', async () => {
  const { postgres, mongo } = bridge.names;
  await bridge.write(
    DOCUMENT_COLLECTIONS.map((collection) => ({
      name: `load-${collection}`,
      from: { mongo, collection },
      to: { postgres, table: `public.${collection}` },
      columns: DOCUMENT_COLUMNS,
    })),
  );
  await bridge.prepare('apply');
  const written = () => recordsIn(bridge.stack, topicOf('parcels'));
  // More than are in one transaction of Connect's: what is there when it is killed is committed.
  await eventually('some documents in the topic', 60_000, async () => (await written()) > 3 * MOST_POLLED);
  const gone = 100;
  await killPart('connect', async () => {
    expect(await written()).toBeLessThan(INITIAL);
    await Promise.all([bridge.start(), bridge.start()]);
    for (const collection of DOCUMENT_COLLECTIONS) {
      const ids = await eventually('some rows in the table', 120_000, async () => {
        const found = await owner.query<{ id: string }>(`select id from ${collection} limit ${gone}`);
        return found.rows.length === gone && found.rows.map(({ id }) => id);
      });
      await documents.collection<{ _id: string }>(collection).deleteMany({ _id: { $in: ids } });
    }
  });

  await eventually('the snapshot to be over, and swept', 180_000, async () => {
    const statuses = await Promise.all(DOCUMENT_COLLECTIONS.map((name) => bridge.status(`load-${name}`)));
    const isOver = statuses.every(({ lag, sweep }) => lag.records === 0 && sweep === null);
    const total = (await carried('parcels')) + (await carried('depots'));
    return isOver && total === 2 * (INITIAL - gone);
  });
  await checks.expectEqual();
}, 600_000);

it('carries each change once while the bridge, Connect and a broker are killed', async () => {
  await checks.expectOnce(async () => {
    const work = await load.start(CLIENTS, { times: TURNS, perSecond: 300 });
    await work.reached(0.1);
    await bridge.restart(0);
    await work.reached(0.25);
    await killPart('connect');
    await work.reached(0.5);
    await killLeader(topicOf('parcels'));
    await work.reached(0.75);
    await bridge.restart(1);
    await work.end();
    const changes = DOCUMENT_COLLECTIONS.map((name) => load.written[name]);
    const total = changes.reduce((sum, { c, u, d }) => sum + c + u + d, 0);
    expect(total).toBeGreaterThanOrEqual(10_000);
    expect(load.transactions).toBeGreaterThan(1_000);
    return changes;
  });
}, 600_000);
