import { setTimeout as delay } from 'node:timers/promises';
import { type Compared, compareSides, eventually } from '@millrace/testing';
import type { Db, MongoClient } from 'mongodb';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { endIdleTransactions } from './idle-transactions.js';
import type { ConflictPolicy } from './pair.decision.js';
import type { PairParts, PairSync } from './pair.sync.js';
import { withoutGuard } from './testing/broken.sync.js';
import { LostWrites } from './testing/lost-writes.js';
import { appName, createPair, type Running, SCHEMA, startWorker } from './testing/pair.fixture.js';
import { randomFrom } from './testing/random.js';
import { TwoWayLoad } from './testing/two-way.load.js';

/** Instants move with every update, the bridge's too, and balances are rounded: Postgres alters what it is given. */
const CUSTOMERS = `
create table customers (id int primary key, name text, balance numeric(10,2), updated_at timestamptz, note varchar(20));
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create trigger touch before update on customers for each row execute function touch()`;

const COMPARED: Compared[] = [
  { column: 'name', field: 'name', kind: 'text' },
  { column: 'balance', field: 'balance', kind: 'number' },
  { column: 'updated_at', field: 'updated_at', kind: 'instant' },
  { column: 'note', field: 'note', kind: 'text' },
];
const SEED = 20_261;
const KEYS = 100;
/** Beyond those of the load. */
const QUIET_KEYS = Array.from({ length: 50 }, (_, i) => KEYS + 1 + i);

interface Run {
  readonly policy: ConflictPolicy;
  /** Milliseconds of load, at least. */
  readonly loadMs: number;
  /** The load goes on until as many writes lost a conflict, for a minute at most. */
  readonly conflicts: number;
  readonly syncOf?: (parts: PairParts) => PairSync;
}

let databases: Databases;
let owner: pg.Client;
let app: pg.Client;
let docs: Db;
let reaper: MongoClient;
let watched: LostWrites;
let workers: Running[];

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  await owner.query(CUSTOMERS);
  await owner.query(`grant select, insert, update, delete on customers to ${databases.name}_app`);
  app = await databases.postgres('app');
  docs = await databases.documents('app');
  await createPair(databases, { drop: [] });
  reaper = await databases.mongo('bridge', { appName: appName(databases) });
  watched = await LostWrites.watch(databases, owner, [{ table: 'customers', pair: 'customers' }]);
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((running) => running.stop()));
  await watched?.[Symbol.asyncDispose]();
  await databases?.[Symbol.asyncDispose]();
});

const start = ({ policy, syncOf }: Run) =>
  startWorker(databases, policy, { drop: [], ...(syncOf && { syncOf }) });
const hint = (id: number) => {
  for (const { worker } of workers) worker.hint(`["${id}"]`);
};

async function rest(): Promise<void> {
  await eventually('the workers to come to rest', 60_000, async () => {
    await endIdleTransactions(reaper, appName(databases), 500);
    return workers.every(({ worker }) => worker.idle);
  });
}

/** Two workers under load, killed and cut off; then every fault that shows, in words. */
async function faultsOf(run: Run): Promise<string[]> {
  workers = [await start(run), await start(run)];
  const random = randomFrom(SEED);
  const load = new TwoWayLoad({
    databases,
    tables: ['customers'],
    keys: KEYS,
    seed: SEED,
    writers: 2,
    // Not every hint reaches both workers.
    written: (_, id) => {
      for (const { worker } of workers) if (random() < 0.7) worker.hint(`["${id}"]`);
    },
  });
  await load.start();
  await trouble(run, random);
  await load.stop();
  await rest();
  for (const { worker } of workers) worker.checkEverything();
  await rest();
  const faults = await differing();
  const logged = await watched.conflicts();
  const { lost } = await watched.find(logged);
  const { rowCount: parked } = await owner.query(`select from ${SCHEMA}.customers_parked`);
  faults.push(...lost.map((write) => `lost: ${write}`), ...(parked ? [`${parked} keys are parked`] : []));
  faults.push(...Object.keys(load.errors).filter((error) => !EXPECTED_ERRORS.has(error)));
  return [...faults, ...(await quiet(logged.length))];
}

/** Of the applications' own making, or what any writer may cost another: a key that exists, a write conflict. */
const EXPECTED_ERRORS = new Set(['postgres 23505', 'mongo 112', 'mongo 11000']);

/** Kills workers in the middle, ends their sessions under them, and clears up what they leave behind. */
async function trouble(run: Run, random: () => number): Promise<void> {
  const began = performance.now();
  for (let turn = 0; ; turn++) {
    await delay(200 + 300 * random());
    await endIdleTransactions(reaper, appName(databases), 500);
    const ms = performance.now() - began;
    if (ms > 60_000) return;
    if (ms > run.loadMs && (await watched.conflicts()).length >= run.conflicts) return;
    if (turn % 2 === 0) await endSession();
    else {
      const victim = random() < 0.5 ? 0 : 1;
      await workers[victim]?.kill();
      workers[victim] = await start(run);
      for (const { worker } of workers) worker.checkEverything();
    }
  }
}

/** The bridge's role may end its own sessions. */
async function endSession(): Promise<void> {
  const bridge = await databases.postgres('bridge');
  await bridge.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'millrace-bridge' and usename = current_user and pid <> pg_backend_pid()
     order by random() limit 1`,
  );
  await bridge.end();
}

async function differing(): Promise<string[]> {
  const { onlyInTable, onlyInCollection, different } = await compareSides(
    owner,
    docs.collection('customers'),
    {
      table: 'customers',
      key: [{ column: 'id', field: '_id', kind: 'number' }],
      fields: COMPARED,
    },
  );
  return [...onlyInTable, ...onlyInCollection, ...different].map((key) => `differs: ${key}`);
}

/** A hundred edits with nothing concurrent: each is written once on the other side, and comes back from no trigger but once. */
async function quiet(conflictsBefore: number): Promise<string[]> {
  for (const id of QUIET_KEYS) await app.query(`insert into customers (id, note) values (${id}, 'new')`);
  for (const id of QUIET_KEYS) hint(id);
  await rest();
  const mark = await watched.mark();
  for (const [i, id] of QUIET_KEYS.entries()) {
    await app.query(`update customers set note = 'row ${i}' where id = ${id}`);
    hint(id);
    await rest();
    await docs
      .collection<{ _id: number }>('customers')
      .updateOne({ _id: id }, { $set: { note: `doc ${i}` } });
    hint(id);
    await rest();
  }
  const { rows = 0, docs: written = 0 } = (await watched.bridgeWrites(mark)).customers ?? {};
  const conflicts = (await watched.conflicts()).length - conflictsBefore;
  return [
    ...(await differing()),
    ...(conflicts > 0 ? [`${conflicts} conflicts where nothing was concurrent`] : []),
    ...(rows === QUIET_KEYS.length ? [] : [`${rows} rows written for ${QUIET_KEYS.length} edits`]),
    // Each edit of a document is one row, which the trigger touches: that is carried back once.
    ...(written === 2 * QUIET_KEYS.length ? [] : [`${written} documents written for the edits`]),
  ];
}

describe('two workers of a pair under load', { timeout: 180_000 }, () => {
  const run = { policy: { priority: 'postgres' }, loadMs: 2_000, conflicts: 20 } as const;

  it('lose nothing and end equal while they are killed and cut off', async () => {
    expect(await faultsOf(run)).toEqual([]);
  });

  it.each<[keyof typeof withoutGuard, RegExp]>([
    ['the rev check', /lost|differs/],
    ['accepted', /conflicts where nothing was concurrent/],
  ])('are caught without %s', async (guard, fault) => {
    const faults = await faultsOf({ ...run, syncOf: withoutGuard[guard] });
    expect(faults.join('\n')).toMatch(fault);
  });
});
