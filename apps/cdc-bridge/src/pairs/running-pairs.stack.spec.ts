import { setTimeout as delay } from 'node:timers/promises';
import { BreakableProxy } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { killPart } from '../testing/stack-parts.js';
import { type Policies, RunningPairs } from './testing/running-pairs.js';
import { TwoWayLoad } from './testing/two-way.load.js';

const POLICIES: Policies = {
  by_postgres: { priority: 'postgres' },
  by_mongo: { priority: 'mongo' },
  by_newest: { newest: 'updated_at', priority: 'mongo' },
  visits: { priority: 'postgres' },
};
/** Two tables that alter what they are given, and one that writes another whenever it is written, the bridge's writes too. */
const TRIGGERS = `
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create trigger touch before update on by_mongo for each row execute function touch();
create trigger touch before update on by_newest for each row execute function touch();
create function visit() returns trigger language plpgsql as $$ begin
  insert into visits (id, name, balance) values (new.id, 'seen', 1)
  on conflict (id) do update set balance = visits.balance + 1;
  return null;
end $$;
create trigger visit after insert or update on by_postgres for each row execute function visit()`;
const SEED = 20_261;
const KEYS = 100;
/** Real ones: over all pairs, and at least so many of each. */
const CONFLICTS = { all: 1_000, each: 200 };
const LOAD_MS = 420_000;
/** So many that most keys are edited on both sides meanwhile. */
const WRITES_IN_A_PAUSE = 3_000;
const WRITES_BETWEEN = 500;

let bridge: BridgeUnderTest;
let pairs: RunningPairs;
const env: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  bridge = await BridgeUnderTest.create(inject('stack'), env);
  const options = { policies: POLICIES, unpaired: 'unpaired', sql: TRIGGERS, instances: 2 };
  pairs = await RunningPairs.deploy(inject('stack'), options, bridge);
}, 300_000);

afterAll(async () => {
  await (pairs ?? bridge)?.[Symbol.asyncDispose]();
}, 120_000);

/** By table, how many conflicts were logged whose loser can be told by its note. */
async function logged(): Promise<Readonly<Record<string, number>>> {
  const all = (await pairs.watched.conflicts()).filter(({ loser }) => typeof loser?.note === 'string');
  const count = (of: string) => all.filter(({ table }) => table === of).length;
  return Object.fromEntries(pairs.tables.map((table) => [table, count(table)]));
}

function isEnough(counts: Readonly<Record<string, number>>): boolean {
  const each = pairs.tables.map((table) => counts[table] ?? 0);
  const all = each.reduce((sum, count) => sum + count, 0);
  return all >= CONFLICTS.all && Math.min(...each) >= CONFLICTS.each;
}

async function expectEqual(): Promise<void> {
  expect(await pairs.differences()).toEqual([]);
  for (const table of pairs.tables) {
    const verified = await pairs.verify(table);
    expect(verified).toMatchObject({ missing: 0, extra: 0, different: 0, sample: [] });
    expect(verified.compared).toBeGreaterThan(0);
  }
}

/** One table under another's triggers is written more often than it is edited: its own edits are counted. */
const withoutVisits = ({
  visits: _,
  ...writes
}: Awaited<ReturnType<RunningPairs['watched']['bridgeWrites']>>) => writes;

describe('pairs that two instances of the bridge keep', () => {
  it('end equal, with every loser in the log, under load and kills', { timeout: 900_000 }, async () => {
    for (const table of pairs.tables) expect(await pairs.partitions(table)).toBeGreaterThanOrEqual(3);
    await using load = new TwoWayLoad({
      databases: bridge.databases,
      tables: pairs.tables,
      keys: KEYS,
      seed: SEED,
      writers: 2,
      unpaired: 'unpaired',
    });
    await load.start();
    await delay(2_000);
    await bridge.restart(0);
    await pairs.paused(() => delay(2_000));
    await pairs.owner.query('alter table by_newest alter column balance type numeric(12,1)');
    await pairs.addNumber('level');
    await killPart('connect');
    await bridge.restart(1);
    const until = performance.now() + LOAD_MS;
    const areEnough = async () =>
      isEnough(await logged()) && isEnough((await pairs.watched.find(await pairs.watched.conflicts())).real);
    while (!(await areEnough()) && performance.now() < until) {
      await pairs.paused(() => load.written(WRITES_IN_A_PAUSE));
      await load.written(WRITES_BETWEEN);
    }
    await load.stop();
    await pairs.atRest();
    await expectEqual();
    const losers = await pairs.watched.conflicts();
    const { lost, real } = await pairs.watched.find(losers);
    expect(lost).toEqual([]);
    expect(isEnough(real), `real conflicts: ${JSON.stringify(real)}`).toBe(true);
    for (const table of pairs.tables) {
      const ofTable = losers.filter((loser) => loser.table === table);
      expect(await pairs.conflicts(table)).toHaveLength(ofTable.length);
    }
    expect(await pairs.parked()).toEqual([]);
    expect(load.unexpectedErrors).toEqual([]);
    const { postgres, mongo, unpaired } = load.longestMs;
    // A second and what a machine needs that does all of this at once; MongoDB itself would take five.
    expect(Math.max(postgres, mongo) - unpaired, 'the longest wait for a bridge').toBeLessThan(3_000);
  });

  it('write once for an edit, nothing for an echo, and meet no conflict where nothing is concurrent', {
    timeout: 300_000,
  }, async () => {
    const ids = Array.from({ length: 50 }, (_, i) => 1_001 + i);
    const tables = ['by_postgres', 'by_mongo', 'by_newest'];
    for (const table of tables) {
      for (const id of ids) await pairs.app.query(`insert into ${table} (id, note) values (${id}, 'new')`);
    }
    await pairs.atRest();
    const [mark, conflicts] = [await pairs.watched.mark(), (await pairs.watched.conflicts()).length];
    for (const table of tables) {
      for (const id of ids) await pairs.app.query(`update ${table} set note = 'row ${id}' where id = ${id}`);
    }
    await pairs.atRest();
    for (const table of tables) {
      const documents = pairs.docs.collection<{ _id: number }>(table);
      for (const id of ids) await documents.updateOne({ _id: id }, { $set: { note: `doc ${id}` } });
    }
    await pairs.atRest();
    await expectEqual();
    expect((await pairs.watched.conflicts()).length).toBe(conflicts);
    // Where a trigger touches the row that an edit of a document became, that is carried back, once.
    expect(withoutVisits(await pairs.watched.bridgeWrites(mark))).toEqual({
      by_postgres: { rows: 50, docs: 50 },
      by_mongo: { rows: 50, docs: 100 },
      by_newest: { rows: 50, docs: 100 },
    });
  });

  it('converge after a partition between databases whose clocks are ten minutes apart', {
    timeout: 300_000,
  }, async () => {
    await using proxy = await BreakableProxy.before(bridge.mongoUrl('bridge'));
    const through = new URL(proxy.url(bridge.mongoUrl('bridge')));
    through.searchParams.set('directConnection', 'true'); // else the set's own address leads past the proxy
    env[`MONGO_${bridge.names.mongo.toUpperCase()}_URL`] = through.href;
    for (const index of bridge.instances.keys()) await bridge.restart(index);
    const ids = Array.from({ length: 20 }, (_, i) => 2_001 + i);
    const tables = ['by_postgres', 'by_mongo', 'by_newest'];
    for (const table of tables) {
      for (const id of ids) await pairs.app.query(`insert into ${table} (id, note) values (${id}, 'new')`);
    }
    await pairs.atRest();
    const mark = await pairs.watched.mark();
    await proxy.down();
    const isAhead = (id: number) => id % 2 === 0;
    for (const table of tables) {
      const documents = pairs.docs.collection<{ _id: number }>(table);
      for (const id of ids) {
        const updated_at = new Date(Date.now() + (isAhead(id) ? 600_000 : -600_000));
        await documents.updateOne({ _id: id }, { $set: { note: `doc ${id}`, updated_at } });
        await pairs.app.query(`update ${table} set note = 'row ${id}' where id = ${id}`);
      }
    }
    await proxy.up();
    await pairs.atRest();
    await expectEqual();
    const mongoWins: Record<string, (id: number) => boolean> = {
      by_postgres: () => false,
      by_mongo: () => true,
      by_newest: isAhead,
    };
    for (const table of tables) {
      const { rows } = await pairs.owner.query(`select id, note from ${table} where id > 2000 order by id`);
      const isMongo = mongoWins[table] as (id: number) => boolean;
      expect(rows).toEqual(ids.map((id) => ({ id, note: `${isMongo(id) ? 'doc' : 'row'} ${id}` })));
      const losers = (await pairs.conflicts(table)).filter(({ key }) => Number(JSON.parse(key)[0]) > 2_000);
      expect(losers.map(({ lost, loser }) => `${lost}: ${loser?.note}`).sort()).toEqual(
        ids.map((id) => (isMongo(id) ? `postgres: row ${id}` : `mongo: doc ${id}`)).sort(),
      );
    }
    expect(withoutVisits(await pairs.watched.bridgeWrites(mark))).toEqual({
      by_postgres: { rows: 0, docs: 20 },
      by_mongo: { rows: 20, docs: 20 },
      by_newest: { rows: 10, docs: 20 },
    });
  });
});
