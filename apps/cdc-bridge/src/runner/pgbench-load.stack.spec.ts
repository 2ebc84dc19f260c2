import { compareSides, eventually } from '@millrace/testing';
import type { Db } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { LoadChecks } from '../testing/load/load.checks.js';
import {
  PGBENCH_COMPARED,
  PGBENCH_TABLES,
  Pgbench,
  type PgbenchTable,
  pgbenchTable,
} from '../testing/load/pgbench.load.js';
import { killLeader, killPart } from '../testing/stack-parts.js';
import { recordsIn, StreamedChanges } from '../testing/streamed-changes.js';

const SCALE = 5;
const SEED = 60_606;
const CLIENTS = 8;
const TRANSACTIONS = 10_000;
/** Those that are over before the bridge is there, so that the history is not empty. */
const EARLIER = 2_000;
/** Debezium's `max.batch.size`: so many records are in one transaction of a snapshot. */
const MOST_POLLED = 2_048;

let bridge: BridgeUnderTest;
let bench: Pgbench;
let checks: LoadChecks;
/** The application's. */
let rows: pg.Client;
let documents: Db;

const topicOf = (table: PgbenchTable) => bridge.topic({ table: pgbenchTable(table) });
const carried = (table: PgbenchTable) => documents.collection(table).estimatedDocumentCount();

beforeAll(async () => {
  bridge = await BridgeUnderTest.create(inject('stack'));
  bench = await Pgbench.create(bridge.databases, SCALE, SEED);
  rows = await bridge.databases.postgres('app');
  documents = await bridge.databases.documents('app');
  checks = new LoadChecks(
    bridge,
    PGBENCH_TABLES.map((table) => ({
      name: `pgbench-${table}`,
      topic: topicOf(table),
      compare: () => compareSides(rows, documents.collection(table), PGBENCH_COMPARED[table]),
    })),
  );
  const earlier = await bench.start(CLIENTS, { times: EARLIER, perSecond: 1_000 });
  await earlier.end();
}, 240_000);

afterAll(() => bridge?.[Symbol.asyncDispose]());

it('ends equal where Connect is killed during the snapshot, which begins anew', async () => {
  const { postgres, mongo } = bridge.names;
  await bridge.write(
    // Their snapshots are taken in this order.
    PGBENCH_TABLES.map((table) => ({
      name: `pgbench-${table}`,
      from: { postgres, table: pgbenchTable(table) },
      to: { mongo, collection: table },
      ...(table === 'history' && { appendOnly: true }),
    })),
  );
  await bridge.prepare('apply');
  const load = await bench.start(2, { times: 500, perSecond: 50 }, EARLIER);
  const written = () => recordsIn(bridge.stack, topicOf('accounts'));
  // More than are in one transaction of Connect's: what is there when it is killed is committed.
  await eventually('some accounts in the topic', 120_000, async () => (await written()) > 3 * MOST_POLLED);
  const gone = 100;
  await killPart('connect', async () => {
    expect(await written()).toBeLessThan(bench.accounts);
    await Promise.all([bridge.start(), bridge.start()]);
    const some = documents.collection<{ _id: number }>('accounts').find().limit(gone);
    const ids = await eventually('some accounts in the collection', 120_000, async () => {
      const found = await some
        .clone()
        .map(({ _id }) => _id)
        .toArray();
      return found.length === gone && found;
    });
    await rows.query('delete from pgbench_accounts where aid = any($1)', [ids]);
  });
  await load.end();

  await eventually('the snapshot to be over, and swept', 900_000, async () => {
    const statuses = await Promise.all(PGBENCH_TABLES.map((table) => bridge.status(`pgbench-${table}`)));
    const isOver = statuses.every(({ lag, sweep }) => lag.records === 0 && sweep === null);
    return isOver && (await carried('accounts')) === bench.accounts - gone;
  });
  await checks.expectEqual();
  const history = topicOf('history');
  const { [history]: counted } = await StreamedChanges.fromBeginning(bridge.stack, [history]).count();
  expect(counted?.ops.r).toBeGreaterThanOrEqual(2 * EARLIER);
}, 1_500_000);

it('carries each change once while the bridge, Connect and a broker are killed', async () => {
  await checks.expectOnce(async () => {
    const updated = bench.accountUpdates;
    const load = await bench.start(CLIENTS, { times: TRANSACTIONS, perSecond: 300 }, 100_000);
    await load.reached(0.1);
    await bridge.restart(0);
    await load.reached(0.25);
    await killPart('connect');
    await load.reached(0.5);
    await killLeader(topicOf('accounts'));
    await load.reached(0.75);
    await bridge.restart(1);
    const done = await load.end();
    return [{ c: done }, { u: done }, { u: done }, { u: bench.accountUpdates - updated }];
  });
}, 1_500_000);

it('ends with equal rows where Connect is killed between COPY and interleaved transactions', async () => {
  await checks.expectOnce(async () => {
    const updated = bench.accountUpdates;
    const copied = 5_000;
    const load = await bench.start(CLIENTS, { times: 500, perSecond: 100 }, 200_000);
    await rows.query('begin');
    await bench.copy(rows, 'history', copied, 0);
    await bench.copy(rows, 'accounts', copied, 0);
    await load.reached(0.1);
    await rows.query('commit');
    await killPart('connect', async () => {
      await bench.copy(rows, 'history', copied, copied);
      await rows.query('begin');
      await bench.copy(rows, 'accounts', copied, copied);
    });
    await rows.query('commit');
    const done = await load.end();
    const updates = bench.accountUpdates - updated;
    return [{ c: 2 * copied + done }, { u: done }, { u: done }, { c: 2 * copied, u: updates }];
  });
}, 1_500_000);
