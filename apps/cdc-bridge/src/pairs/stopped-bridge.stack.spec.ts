import { setTimeout as delay } from 'node:timers/promises';
import type { MongoClient, MongoServerError } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { RunningPairs } from './testing/running-pairs.js';
import { TwoWayLoad } from './testing/two-way.load.js';

const TABLE = 'accounts';
const IDS = Array.from({ length: 40 }, (_, i) => i + 1);
const LOOKS = 3;
const WRITE_CONFLICT = 112;

let bridge: BridgeUnderTest;
let pairs: RunningPairs;
let client: MongoClient;
let turn = 0;

const documents = () => client.db(bridge.databases.name).collection<{ _id: number }>(TABLE);

beforeAll(async () => {
  bridge = await BridgeUnderTest.create(inject('stack'));
  const policies = { [TABLE]: { priority: 'postgres' } } as const;
  const options = { policies, unpaired: 'unpaired', sql: '', instances: 1 };
  pairs = await RunningPairs.deploy(inject('stack'), options, bridge);
  client = await bridge.databases.mongo('app', { maxPoolSize: IDS.length });
}, 240_000);

afterAll(async () => {
  await (pairs ?? bridge)?.[Symbol.asyncDispose]();
}, 120_000);

type HeldOf = (ids: readonly number[]) => Promise<number[]>;

/** Rows that somebody's transaction holds. */
async function heldRows(ids: readonly number[]): Promise<number[]> {
  const { rows } = await pairs.app.query<{ id: number }>(
    `select id from ${TABLE} where id = any($1) for update skip locked`,
    [ids],
  );
  const free = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !free.has(id));
}

/** Documents that somebody's transaction holds: another meets a conflict at once, where a plain write would wait. */
async function heldDocuments(ids: readonly number[]): Promise<number[]> {
  const looks = ids.map(async (_id) => {
    await using session = client.startSession();
    session.startTransaction();
    try {
      await documents().updateOne({ _id }, { $inc: { touched: 1 } }, { session });
      return [];
    } catch (error) {
      if ((error as MongoServerError).code === WRITE_CONFLICT) return [_id];
      throw error;
    } finally {
      await session.abortTransaction().catch(() => undefined);
    }
  });
  return (await Promise.all(looks)).flat();
}

/** Stops it again and again, until it holds something while it stands still: for longer than an application does. */
async function freezeWithinTransaction(heldOf: HeldOf): Promise<void> {
  const until = performance.now() + 240_000;
  while (performance.now() < until) {
    // What the bridge is busy with some tens of milliseconds later; locked in the order of the load's own writes.
    await pairs.app.query(
      `with locked as (select id from ${TABLE} order by id for update)
       update ${TABLE} t set name = 'turn ' || $1::int from locked where t.id = locked.id`,
      [++turn],
    );
    await delay(15 + 60 * Math.random());
    bridge.instances[0]?.freeze();
    let held = await heldOf(IDS);
    for (let look = 1; look < LOOKS && held.length > 0; look++) {
      await delay(10);
      held = await heldOf(held);
    }
    if (held.length > 0) return;
    bridge.instances[0]?.thaw();
  }
  throw new Error('the bridge never stood still within a transaction');
}

function startLoad(seed: number): TwoWayLoad {
  const options = { tables: [TABLE], keys: IDS.length, seed, writers: 1, unpaired: 'unpaired' };
  return new TwoWayLoad({ databases: bridge.databases, ...options });
}

/** Neither waits of a second, nor a deadlock or any other error that a bridge alone can cost. */
function expectUnharmed({ longestMs: { postgres, mongo, unpaired }, unexpectedErrors }: TwoWayLoad): void {
  // Without its guards they would wait until it goes on, or until MongoDB ends its transaction after five seconds.
  expect(Math.max(postgres, mongo) - unpaired, 'the longest wait for a bridge').toBeLessThan(1_500);
  expect(unexpectedErrors).toEqual([]);
}

it('lets no application wait or fail because it stands still, alone as it is', async () => {
  await using load = startLoad(1);
  await load.start();
  for (const heldOf of [heldDocuments, heldRows, heldDocuments, heldRows]) {
    await freezeWithinTransaction(heldOf);
    await delay(2_500);
    bridge.instances[0]?.thaw();
  }
  await load.stop();
  expectUnharmed(load);
}, 400_000);

it('lets no application wait or fail because it is killed, and ends equal', async () => {
  await using load = startLoad(2);
  await load.start();
  await freezeWithinTransaction(heldDocuments);
  await bridge.instances[0]?.kill();
  await delay(2_500);
  await load.stop();
  expectUnharmed(load);
  await bridge.restart(0);
  await pairs.atRest();
  expect(await pairs.differences()).toEqual([]);
  expect((await pairs.watched.find(await pairs.watched.conflicts())).lost).toEqual([]);
}, 400_000);
