import { ConnectApi, SchemaRegistry, silentLog } from '@millrace/messaging';
import { BreakableProxy, eventually, expireRecords } from '@millrace/testing';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openSources } from '../runner/sources.js';
import { SourceUnderTest } from '../testing/source.under-test.js';
import { Connectors } from './connectors.js';
import { type SourceSnapshot, SourceWatermarks } from './source-watermarks.js';

/** A connector is without its slot for a second when it starts. */
const INACTIVE_MS = 3_000;
const LAG_ALARM_BYTES = 64 * 1_024 * 1_024;
const within = (ms: number) => AbortSignal.timeout(ms);

describe.each(['postgres', 'mongo'] as const)('watermarks of a %s source', (kind) => {
  let source: SourceUnderTest;
  let watermarks: SourceWatermarks;
  const snapshots: SourceSnapshot[] = [];
  const name = kind === 'postgres' ? 'public.stock' : 'stock';

  const insert = async (id: number) => {
    if (kind === 'postgres') await (await app()).query('insert into stock values ($1)', [id]);
    else
      await (await source.databases.documents('app'))
        .collection<{ _id: number }>('stock')
        .insertOne({ _id: id });
  };
  /** Rows that the topic has; what was there when the snapshot began may stand in it twice. */
  const rows = async () =>
    new Set((await source.changes(name)).map(({ after }) => JSON.stringify(after))).size;
  let connected: Promise<pg.Client> | undefined;
  const app = () => (connected ??= source.databases.postgres('app'));

  beforeAll(async () => {
    source = await SourceUnderTest.create(kind, inject('stack'));
    if (kind === 'postgres') {
      const owner = await source.databases.postgres('owner');
      await owner.query('create table stock (id int primary key)');
      await owner.query(`grant select, insert on stock to ${source.databases.name}_app`);
    }
    watermarks = watch(snapshots);
    source.beforeConnector = () => eventually('a marker that a snapshot finds', 60_000, isMarked);
    await source.apply(name);
  });

  function watch(told: SourceSnapshot[]): SourceWatermarks {
    const started = new SourceWatermarks({
      brokers: source.stack.kafka.bootstrapServers,
      clientId: 'source-runtime',
      schemas: new SchemaRegistry({ url: source.stack.registry.url }),
      databases: source.open,
      sources: [source.source([name])],
      log: silentLog,
      everyMs: 500,
      onSnapshot: async (_, snapshot) => void told.push(snapshot),
    });
    started.start();
    return started;
  }

  async function isMarked(): Promise<boolean> {
    if (kind === 'postgres') {
      const owner = await source.databases.postgres('owner');
      const { rows } = await owner.query('select from millrace.watermarks limit 1');
      return rows.length > 0;
    }
    const documents = await source.databases.documents('owner');
    const marked = await documents
      .collection('+millrace_watermarks')
      .findOne({ marker: { $type: 'string', $ne: '' } });
    return marked !== null;
  }

  afterAll(async () => {
    await watermarks?.close();
    await source?.[Symbol.asyncDispose]();
  });

  it('waits until what was committed before can be read in its topic', async () => {
    for (let id = 1; id <= 10; id++) {
      await insert(id);
      await watermarks.caughtUp(source.name, within(60_000));
      expect(await rows()).toBe(id);
    }
  });

  it('tells the lag, which grows while the connector is stopped, and then waits for what it has to bring', async () => {
    await eventually('a small lag', 20_000, () => (watermarks.lagSeconds(source.name) ?? 99) < 3);
    await source.connect.stop(source.connector, within(60_000));
    await eventually('the lag to grow', 30_000, () => (watermarks.lagSeconds(source.name) ?? 0) > 4);
    await insert(11);
    await expect(watermarks.caughtUp(source.name, within(1_500))).rejects.toThrow();
    await source.connect.resume(source.connector, within(60_000));
    await watermarks.caughtUp(source.name, within(60_000));
    expect(await rows()).toBe(11);
    await eventually('a small lag', 20_000, () => (watermarks.lagSeconds(source.name) ?? 99) < 3);
  });

  it('tells of each snapshot that finds markers, and whether it was the first', async () => {
    expect(snapshots.map(({ isFirst }) => isFirst)).toEqual([true]);
    await source.connect.stop(source.connector, within(60_000));
    await source.connect.forgetOffsets(source.connector, within(60_000));
    if (kind === 'postgres') await source.databases.dropSlots();
    await source.connect.resume(source.connector, within(60_000));
    await eventually('the second snapshot', 60_000, () => snapshots.length === 2);
    expect(snapshots.map(({ isFirst }) => isFirst)).toEqual([true, false]);

    const toldLater: SourceSnapshot[] = [];
    await using another = new AsyncDisposableStack();
    another.adopt(watch(toldLater), (started) => started.close());
    await eventually('both again', 30_000, () => toldLater.length === 2);
    expect(toldLater).toEqual(snapshots);
  });

  it('takes the end of all markers for a snapshot that nobody has seen', async () => {
    await watermarks.close();
    await source.connect.stop(source.connector, within(60_000));
    const markers = kind === 'postgres' ? 'millrace.watermarks' : '+millrace_watermarks';
    await expireRecords(source.stack.kafka.bootstrapServers, source.topic(markers));
    const told: SourceSnapshot[] = [];
    watermarks = watch(told);
    await eventually('it to be told', 30_000, () => told.length === 1);
    expect(told).toMatchObject([{ isFirst: false }]);
  });
});

describe('the watch over connectors', () => {
  /** Where nothing answers. */
  const nowhere = new ConnectApi('http://127.0.0.1:1');
  let source: SourceUnderTest;
  let owner: pg.Client;
  let connectors: Connectors;
  const watches: Connectors[] = [];

  function watch(connect: ConnectApi): Connectors {
    const started = new Connectors({
      connect,
      databases: source.open,
      sources: [source.source(['public.orders', 'public.fragile'])],
      log: silentLog,
      pollMs: 200,
      restarts: { firstMs: 300, maxMs: 1_000, calmMs: 5_000, longestCalmMs: 60_000, lastingAfter: 2 },
      lagAlarmBytes: LAG_ALARM_BYTES,
      inactiveMs: INACTIVE_MS,
    });
    watches.push(started);
    started.start();
    return started;
  }

  const alarm = (text: RegExp, by = connectors) =>
    eventually(`the alarm ${text}`, 60_000, () => by.reasons().find((reason) => text.test(reason)));
  const noAlarm = () => eventually('its alarms to end', 60_000, () => connectors.reasons().length === 0);

  beforeAll(async () => {
    source = await SourceUnderTest.create('postgres', inject('stack'));
    owner = await source.databases.postgres('owner');
    await owner.query('create table orders (id int primary key); create table fragile (id int primary key)');
    await source.apply('public.orders', 'public.fragile');
    connectors = watch(source.connect);
  });

  afterAll(async () => {
    await Promise.all(watches.map((each) => each.close()));
    await source?.[Symbol.asyncDispose]();
  });

  const status = () => connectors.status(source.name);

  it('shows a connector that runs, and its slot', async () => {
    await eventually('it to run', 20_000, () => status().state === 'running' && status().slot?.active);
    expect(status()).toMatchObject({ alarms: [], slot: { active: true, lost: false } });
    expect(connectors.reasons()).toEqual([]);
  });

  it('brings a table’s rows again when asked', async () => {
    await owner.query('insert into orders values (1)');
    await source.untilChanges('public.orders', 1);
    await connectors.requestSnapshot(source.name, 'public.orders');
    expect((await source.untilChanges('public.orders', 2)).map(({ op }) => op)).toEqual(['c', 'r']);
  });

  it('shows a fault that starting again does not mend, and starts it again once it is mended', async () => {
    const signal = () => within(60_000);
    const { name: _, ...config } = (await source.connect.config(source.connector, signal())) ?? {};
    const publication = config['publication.name'] as string;
    await source.connect.putConfig(
      source.connector,
      { ...config, 'publication.name': 'not_there' },
      signal(),
    );
    await eventually('the fault', 60_000, () =>
      connectors.reasons().some((reason) => reason.includes('take')),
    );
    expect(status()).toMatchObject({
      state: 'failed',
      fault: { text: expect.stringContaining('ublication') },
    });

    await owner.query(
      `create publication not_there for table orders, fragile, millrace.signals, millrace.watermarks`,
    );
    await eventually('it to run again', 60_000, () => status().state === 'running');
    await owner.query('insert into orders values (2)');
    await source.untilChanges('public.orders', 3);
    await source.connect.putConfig(
      source.connector,
      { ...config, 'publication.name': publication },
      signal(),
    );
    await eventually(
      'its alarms to end',
      60_000,
      () => status().state === 'running' && status().alarms.length === 0,
    );
  });

  it('alarms on a connector that somebody deleted, which apply makes again where it stood', async () => {
    const change = async (op: string, id: number) => {
      const changes = await source.changes('public.orders');
      return changes.some((each) => each.op === op && (each.after as { id: number } | null)?.id === id);
    };
    await source.connect.remove(source.connector, within(60_000));
    await owner.query('insert into orders values (10)');
    await eventually('the alarm', 20_000, () =>
      connectors.reasons().some((reason) => reason.includes(`knows no connector ${source.connector}`)),
    );
    await owner.query('create table late (id int primary key); insert into late values (1), (2), (3)');
    await source.apply('public.orders', 'public.fragile', 'public.late');
    await eventually('the change', 60_000, () => change('c', 10));
    await noAlarm();
    expect(await change('r', 10)).toBe(false);
    // What it did not read before it was deleted, it reads now.
    expect((await source.untilChanges('public.late', 3)).map(({ op }) => op)).toEqual(['r', 'r', 'r']);
    await source.apply('public.orders', 'public.fragile');
  });

  it('alarms on a slot that is gone, and a new snapshot brings what was missed', async () => {
    await source.connect.stop(source.connector, within(60_000));
    await eventually('the slot to be free', 30_000, () => status().slot?.active === false);
    await source.databases.dropSlots();
    await owner.query('insert into orders values (3); delete from orders where id = 1');
    await alarm(/is gone/);
    await alarm(/is gone/, watch(nowhere));
    await source.connect.resume(source.connector, within(60_000));
    await eventually('the new snapshot', 60_000, async () =>
      (await source.changes('public.orders')).some(
        ({ op, after }) => op === 'r' && (after as { id: number }).id === 3,
      ),
    );
    await eventually('its alarms to end', 30_000, () => connectors.reasons().length === 0);
  });

  const fill = async () => {
    const other = await source.databases.postgres('owner');
    await other.query(`create table if not exists filler (text text)`);
    await other.query(`insert into filler select repeat(md5(n::text), 30) from generate_series(1, 80000) n`);
  };

  it('alarms on a slot that holds back more of the log than it may, also while Connect does not answer', async () => {
    await source.connect.stop(source.connector, within(60_000));
    await fill();
    await alarm(/ MB behind/);
    expect(connectors.reasons()).toContainEqual(expect.stringContaining('is stopped'));
    const blind = watch(nowhere);
    await alarm(/ MB behind/, blind);
    expect(blind.reasons()).toContainEqual(expect.stringContaining('does not answer'));
    await source.connect.resume(source.connector, within(60_000));
    await noAlarm();
  });

  it('alarms on a slot that is kept of a database that no pipeline reads any more, and says how to be rid of it', async () => {
    const warned: string[] = [];
    const sources = openSources(
      {
        pipelines: [],
        databases: [source.settings],
        brokers: source.stack.kafka.bootstrapServers,
        connectUrl: source.stack.connect.url,
        log: { ...silentLog, warn: (message) => void warned.push(message) },
        lagAlarmBytes: LAG_ALARM_BYTES,
      },
      source.open,
      new SchemaRegistry({ url: source.stack.registry.url }),
    );
    try {
      await source.connect.stop(source.connector, within(60_000));
      await fill();
      sources.start();
      const told = new RegExp(`no pipeline reads, .* \\d+ MB .*pipelines drop-slot ${source.name}$`);
      await eventually('the alarm', 60_000, () => sources.notes().find((note) => told.test(note)));
      expect(warned).toEqual([expect.stringMatching(told)]);
      await source.connect.resume(source.connector, within(60_000));
      await eventually('its alarm to end', 60_000, () => sources.notes().length === 0);
    } finally {
      await sources.close();
    }
    await noAlarm();
  });

  it('alarms on a transaction for which the log is kept, although the connector has read on', async () => {
    await owner.query('begin; insert into orders values (20)');
    await fill();
    await alarm(/holds back \d+ MB of the log, .* is still open/);
    expect(status()).toMatchObject({ state: 'running', slot: { active: true } });
    await owner.query('commit');
    await noAlarm();
  });

  it('takes a snapshot for no fault, and a connector that is kept from its slot for one', async () => {
    await using proxy = await BreakableProxy.before(source.databases.postgresUrl('cdc'));
    const { hostname, port } = new URL(proxy.url(source.databases.postgresUrl('cdc')));
    const { name: _, ...config } = (await source.connect.config(source.connector, within(60_000))) ?? {};
    const through = { ...config, 'database.hostname': hostname, 'database.port': port };
    await source.connect.stop(source.connector, within(60_000));
    await source.connect.putConfig(source.connector, through, within(60_000));
    await source.connect.forgetOffsets(source.connector, within(60_000));
    await source.databases.dropSlots();
    // Holds up who reads the row, and not, as a lock of the table would, who makes a slot.
    await owner.query(`insert into fragile values (1); alter table fragile enable row level security;
      create policy slow on fragile using (pg_advisory_xact_lock_shared(1) is not null);
      select pg_advisory_lock(1)`);
    await source.connect.resume(source.connector, within(60_000));
    await eventually(
      'the snapshot',
      60_000,
      () => status().state === 'running' && status().slot?.active === false,
    );
    const since = performance.now();
    await eventually('longer than a slot may be left alone', 20_000, () => {
      expect(status()).toMatchObject({ state: 'running', slot: { active: false }, alarms: [] });
      return performance.now() - since > 2 * INACTIVE_MS;
    });
    await owner.query('select pg_advisory_unlock(1); alter table fragile disable row level security');
    await eventually('streaming', 60_000, () => status().slot?.active);

    // Its new connections are taken, and never answered.
    proxy.silence(true);
    await (await source.databases.superuser()).query(
      'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1',
      [`${source.databases.name}_cdc`],
    );
    await alarm(/nobody reads/);
    expect(status().state).toBe('running');
    await alarm(/nobody reads/, watch(source.connect));
    proxy.silence(false);
    await noAlarm();
  });
});
