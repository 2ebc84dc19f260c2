import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Comparison, eventually, LogReader } from '@millrace/testing';
import { Int32, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MongoControl } from '../control/mongo.control.js';
import { ownDatabase } from '../names/bridge-names.js';
import type { BridgeInstance } from '../testing/bridge-instance.js';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { EQUAL, Flows, text } from '../testing/flows.js';
import type { ConflictPage, PipelineView } from './pipelines.api.js';

interface Person {
  _id: number | string;
  name: string;
}

const PEOPLE: Comparison = {
  table: 'people',
  key: [{ column: 'id', field: '_id', kind: 'number' }],
  fields: [text('name'), { column: 'seen', field: 'seen', kind: 'instant' }],
};

const signal = () => AbortSignal.timeout(60_000);

let flows: Flows;
let bridge: BridgeUnderTest;
/** Names of the pipelines: one goes one way, two are pairs. */
let sales: string;
let people: string;
let notes: string;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `create table sales (id int primary key, n int);
     create table people (id int primary key, name text, seen timestamptz);
     create table notes (id text primary key, name text);
     insert into sales select n, n from generate_series(1, 5) n`,
  );
  bridge = flows.bridge;
  const { postgres, mongo } = bridge.names;
  [sales, people, notes] = ['sales', 'people', 'notes'].map((table) => `${postgres}-${table}`) as [
    string,
    string,
    string,
  ];
  const between = (table: string) => [
    { postgres, table: `public.${table}` },
    { mongo, collection: table },
  ];
  await bridge.deploy([
    flows.entry('sales', { name: sales }),
    { name: people, between: between('people'), conflict: { priority: 'postgres' } },
    { name: notes, between: between('notes'), key: 'objectId', conflict: { priority: 'mongo' } },
  ]);
  for (const pipeline of [sales, people, notes]) await untilState(pipeline, 'running');
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const persons = () => flows.documents.collection<Person>('people');
const rowsOf = async (table: string) =>
  (await flows.owner.query<{ id: string; name: string }>(`select id, name from ${table} order by id`)).rows;

interface Answer {
  readonly status: number;
  readonly body: { readonly code?: string; readonly detail?: string; readonly title?: string };
}

async function ask(
  method: string,
  path: string,
  body?: object,
  { url }: Pick<BridgeInstance, 'url'> = bridge.instances[0] as BridgeInstance,
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    signal: signal(),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Past every trigger, so that no hint tells of it. */
const editUnseen = (name: string) =>
  flows.owner.query(`alter table people disable trigger zz_millrace;
    update people set name = '${name}' where id = 1;
    alter table people enable always trigger zz_millrace`);

const post = (path: string, body?: object) => ask('POST', `/pipelines/${path}`, body);

function untilState(pipeline: string, state: PipelineView['state']): Promise<unknown> {
  return eventually(`${pipeline} to be ${state}`, 90_000, async () => {
    return (await bridge.status(pipeline)).state === state;
  });
}

describe('what it refuses', () => {
  it('answers 404 for a pipeline that there is not, on every route', async () => {
    const routes = [
      'pause',
      'resume',
      'resnapshot',
      'verify',
      'repair',
      'replay',
      'conflicts/1-postgres-1/restore',
    ];
    const answers = [
      ...(await Promise.all(routes.map((route) => post(`nobody/${route}`)))),
      await ask('GET', '/pipelines/nobody'),
      await ask('GET', '/pipelines/nobody/conflicts'),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 404, body: { code: 'PIPELINE_UNKNOWN' } });
    for (const id of ['1-postgres-1', 'no-place'])
      expect(await post(`${people}/conflicts/${id}/restore`)).toMatchObject({
        status: 404,
        body: { code: 'CONFLICT_UNKNOWN' },
      });
  });

  it('answers 400 for what it cannot read', async () => {
    const answers = await Promise.all([
      post(`${people}/repair`, { from: 'kafka' }),
      post(`${people}/repair`, { side: 'mongo' }),
      // Where it would be passed over, the wrong side could win.
      post(`${people}/repair?from=mongo`),
      ask('GET', `/pipelines/${people}/conflicts?limit=0`),
      ask('GET', `/pipelines/${people}/conflicts?limit=many`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
  });

  it('answers 409 for what one way cannot be asked', async () => {
    expect(await post(`${sales}/conflicts/1-postgres-1/restore`)).toMatchObject({
      status: 409,
      body: { code: 'PIPELINE_ONE_WAY', detail: expect.stringContaining(sales) },
    });
    expect(await post(`${sales}/repair`, { from: 'mongo' })).toMatchObject({
      status: 409,
      body: { code: 'PIPELINE_ONE_WAY', detail: expect.stringContaining('source') },
    });
  });

  it('answers 409 for what a pair cannot be asked', async () => {
    expect(await post(`${people}/replay`)).toMatchObject({
      status: 409,
      body: { code: 'PIPELINE_TWO_WAY', detail: expect.stringContaining('by itself') },
    });
  });

  it('answers 409 for what a paused pipeline cannot do, and does it once it is resumed', async () => {
    for (const pipeline of [sales, people]) {
      await post(`${pipeline}/pause`);
      await untilState(pipeline, 'paused');
      const refused = [await post(`${pipeline}/resnapshot`), await post(`${pipeline}/repair`)];
      expect(refused.map(({ status }) => status)).toEqual([409, 409]);
      expect(refused[0]?.body.detail).toContain('is paused');
      await post(`${pipeline}/resume`);
      await untilState(pipeline, 'running');
      expect((await post(`${pipeline}/resnapshot`)).status).toBe(202);
      expect((await post(`${pipeline}/repair`)).status).toBe(200);
    }
  });

  it('ends a repair and a sweep under way where the pipeline is paused, and sweeps once it is resumed', async () => {
    await eventually('no sweep', 60_000, async () => (await bridge.untilIdle(sales)).sweep === null);
    const mirrored = flows.documents.collection<{ _id: number }>('sales');
    const isMissing = async () => (await mirrored.findOne({ _id: 1 })) === null;
    await mirrored.deleteOne({ _id: 1 });
    const { databases } = bridge;
    const control = new MongoControl((await databases.mongo('bridge')).db(ownDatabase(databases.name)));
    // Both read the table, and can wait for it.
    await flows.owner.query('begin; lock table sales in access exclusive mode');
    const untilWaiting = (readers: number) =>
      eventually(`${readers} to read the table`, 30_000, async () => {
        const { rowCount } = await flows.owner.query(
          `select from pg_locks where relation = 'sales'::regclass and not granted`,
        );
        return rowCount === readers;
      });
    await control.requestSweep(sales, 'a test');
    await untilWaiting(1);
    const repair = post(`${sales}/repair`);
    await untilWaiting(2);
    await post(`${sales}/pause`);
    await flows.owner.query('rollback');
    expect(await repair).toMatchObject({
      status: 409,
      body: { code: 'PIPELINE_NOT_READY', detail: expect.stringContaining('is paused') },
    });
    await eventually('the sweep to wait', 30_000, () =>
      bridge.instances[0]?.lines('the sweep waits for the pipeline: a test').at(0),
    );
    expect([await isMissing(), (await bridge.status(sales)).sweep?.reason]).toEqual([true, 'a test']);
    await post(`${sales}/resume`);
    await flows.untilSwept(sales, /a test/);
    expect(await isMissing()).toBe(false);
  });

  it('gives up what takes too long by a name of its own, and says which setting it was', async () => {
    const impatient = await bridge.start({ WORK_TIMEOUT_MS: '1500' });
    try {
      await eventually('it to run', 60_000, async () => {
        return (await bridge.status(sales, 1)).state === 'running';
      });
      await bridge.connect.stop(bridge.connector('postgres'), signal());
      for (const route of ['verify', 'repair']) {
        expect(await ask('POST', `/pipelines/${sales}/${route}`, undefined, impatient)).toMatchObject({
          status: 504,
          body: { code: 'WORK_TIMEOUT', detail: expect.stringContaining('WORK_TIMEOUT_MS') },
        });
      }
    } finally {
      await bridge.connect.resume(bridge.connector('postgres'), signal());
      await impatient.stop();
      bridge.instances.splice(1);
    }
    await untilState(sales, 'running');
  });
});

describe('a pair', () => {
  it('tells what its values may lose, in its state and in the log', async () => {
    const { reports } = await bridge.status(people);
    expect(reports).toEqual([expect.stringMatching(/^public\.people\.seen: .*floored to milliseconds/)]);
    const told = bridge.instances[0]?.lines(reports[0]) ?? [];
    expect(told).toMatchObject([{ pipeline: people }]);
  });

  it('puts a loser back, looks at every key, and is repaired from a side', async () => {
    await flows.app.query(`insert into people values (1, 'both')`);
    await eventually('the document', 60_000, () => persons().findOne({ _id: 1, name: 'both' }));
    await post(`${people}/pause`);
    await untilState(people, 'paused');
    await flows.app.query(`update people set name = 'row' where id = 1`);
    await persons().updateOne({ _id: 1 }, { $set: { name: 'doc' } });
    await post(`${people}/resume`);
    const conflict = await eventually('the conflict', 60_000, async () => {
      const { items } = await bridge.ask<ConflictPage>('GET', `/pipelines/${people}/conflicts`);
      return items[0];
    });
    expect(conflict).toMatchObject({ lost: 'mongo', key: '["1"]', loser: { name: 'doc' } });
    await eventually('the winner', 30_000, () => persons().findOne({ _id: 1, name: 'row' }));

    expect(await post(`${people}/conflicts/${conflict.id}/restore`)).toEqual({
      status: 200,
      body: { restored: true },
    });
    await eventually('the loser to be back on both sides', 60_000, async () => {
      return (await rowsOf('people'))[0]?.name === 'doc';
    });

    await editUnseen('unseen');
    expect((await post(`${people}/resnapshot`)).status).toBe(202);
    await eventually('the unseen edit', 60_000, () => persons().findOne({ _id: 1, name: 'unseen' }));

    // A look that is still under way may see the edit before the repair does: then both are made again.
    await eventually('the side that was asked for to win', 60_000, async () => {
      await editUnseen('older');
      expect(await post(`${people}/repair`, { from: 'mongo' })).toMatchObject({ status: 200 });
      if ((await rowsOf('people'))[0]?.name === 'unseen') return true;
      await flows.app.query(`update people set name = 'unseen' where id = 1`);
      await eventually('the document', 30_000, () => persons().findOne({ _id: 1, name: 'unseen' }));
      return false;
    });
    await untilState(people, 'running');
    expect((await post(`${people}/verify`)).body).toMatchObject({ compared: 1, different: 0, unsettled: 0 });
    expect(await flows.compare(PEOPLE)).toMatchObject({ rows: 1, documents: 1, ...EQUAL });
  });

  it('tells of a key that one side refuses, by name, and is ready all the same', async () => {
    const told = async (count: number) => {
      const { pair, reasons } = await bridge.status(people);
      return pair?.parked.count === count && reasons;
    };
    await persons().insertOne({ _id: 9, name: 'nine', seen: 'whenever' } as Person);
    const reasons = await eventually('the key to be parked', 60_000, () => told(1));
    expect(reasons).toEqual([expect.stringContaining('["9"]')]);
    expect(await ask('GET', '/health/ready')).toEqual({
      status: 200,
      body: {
        status: 'ready',
        reasons: [],
        notes: [{ check: 'pipelines', reason: expect.stringMatching(/people: .*\["9"\].*seen/) }],
      },
    });
    await persons().updateOne({ _id: 9 }, { $set: { seen: new Date(9) } });
    await eventually('the key to flow', 60_000, () => told(0));
    expect((await rowsOf('people')).map(({ name }) => name)).toContain('nine');
    await persons().deleteOne({ _id: 9 });
    await eventually('it to go', 60_000, async () =>
      (await rowsOf('people')).every(({ name }) => name !== 'nine'),
    );
  });

  it('dead-letters a document by name whose _id is no key, as its change arrives', async () => {
    await persons().insertOne({ _id: 'nobody', name: 'no number' });
    await persons().insertOne({ _id: new Int32(7) as never, name: 'seven' });
    await eventually('what follows it to flow', 60_000, async () => {
      return (await rowsOf('people')).some(({ name }) => name === 'seven');
    });
    const unmapped = await eventually('it to be told', 30_000, async () => {
      const { pair } = await bridge.status(people);
      return pair?.unmapped.count === 1 && pair.unmapped.sample;
    });
    expect(unmapped).toMatchObject([{ id: '{"_id":"nobody"}' }]);
    const { bootstrapServers } = bridge.stack.kafka;
    const [letters, log] = [
      await LogReader.fromBeginning(bootstrapServers, [`cdc-bridge.${people}.dlq`]),
      await LogReader.fromBeginning(bootstrapServers, [bridge.topic({ collection: 'people' })]),
    ];
    try {
      const { headers, value } = await eventually('a letter with its record', 60_000, async () => {
        const found = (await letters.read()).find((letter) => letter.headers['dlq.partition'] !== '-1');
        // Where a check of everything found the document before, its next change is told of again.
        if (!found) await persons().updateOne({ _id: 'nobody' }, { $inc: { edits: 1 } });
        return found;
      });
      expect(headers).toMatchObject({
        'dlq.reason.code': 'KEY_UNMAPPED',
        'dlq.reason.text': expect.stringContaining('nobody'),
      });
      const original = (await log.read()).find(
        ({ partition, offset }) =>
          String(partition) === headers['dlq.partition'] && String(offset) === headers['dlq.offset'],
      );
      expect(original?.value).toBeDefined();
      expect(value).toEqual(original?.value);
      expect((await metricsOf(people)).dead_letters_total).toBeGreaterThan(0);
    } finally {
      await letters.close();
      await log.close();
    }
  });

  it('keeps a text key and an ObjectId for one key, with key: objectId', async () => {
    const collection = flows.documents.collection('notes');
    const [fromRow, fromDocument] = [new ObjectId(), new ObjectId()];
    await flows.app.query(`insert into notes values ($1, 'row')`, [fromRow.toHexString()]);
    await collection.insertOne({ _id: fromDocument, name: 'document' });
    await eventually('the document of the row', 60_000, () =>
      collection.findOne({ _id: fromRow, name: 'row' }),
    );
    await eventually('the row of the document', 60_000, async () => (await rowsOf('notes')).length === 2);
    expect(await rowsOf('notes')).toEqual(
      [
        { id: fromRow.toHexString(), name: 'row' },
        { id: fromDocument.toHexString(), name: 'document' },
      ].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    await collection.deleteOne({ _id: fromRow });
    await flows.app.query('delete from notes where id = $1', [fromDocument.toHexString()]);
    await eventually('both to be gone', 60_000, async () => {
      return (await rowsOf('notes')).length + (await collection.countDocuments()) === 0;
    });
  });

  it('answers 409 in the words of the side that does not take its loser back', async () => {
    const [_id, collection] = [new ObjectId(), flows.documents.collection('notes')];
    const renameRow = (name: string) =>
      flows.app.query('update notes set name = $1 where id = $2', [name, _id.toHexString()]);
    const untilRow = (name: string) =>
      eventually(`the row to be ${name}`, 60_000, async () => (await rowsOf('notes'))[0]?.name === name);
    await collection.insertOne({ _id, name: 'both' });
    await untilRow('both');
    await post(`${notes}/pause`);
    await untilState(notes, 'paused');
    await renameRow('row');
    await collection.updateOne({ _id }, { $set: { name: 'doc' } });
    await post(`${notes}/resume`);
    await untilRow('doc');
    const refusal = async (pipeline: string, lost: string) => {
      const { items } = await bridge.ask<ConflictPage>('GET', `/pipelines/${pipeline}/conflicts`);
      const conflict = items.find((item) => item.lost === lost);
      const { status, body } = await post(`${pipeline}/conflicts/${conflict?.id}/restore`);
      return [status, body.code, body.detail];
    };

    await flows.owner.query(`alter table notes add constraint no_row check (name <> 'row')`);
    expect(await refusal(notes, 'postgres')).toEqual([
      409,
      'RESTORE_REFUSED',
      expect.stringContaining('"no_row"'),
    ]);
    const owner = await bridge.databases.documents('owner');
    await owner.command({ collMod: 'people', validator: { name: { $ne: 'doc' } } });
    expect(await refusal(people, 'mongo')).toEqual([
      409,
      'RESTORE_REFUSED',
      expect.stringContaining('failed validation'),
    ]);
    await owner.command({ collMod: 'people', validator: {} });
    await flows.owner.query('alter table notes drop constraint no_row');
  });

  it('has triggers that no session switches off, and functions that obey no caller’s search_path', async () => {
    const { rows } = await flows.owner.query(
      `select t.tgname as trigger, t.tgenabled as enabled, p.prosecdef as definer, p.proconfig as config,
              (t.tgtype & 32) <> 0 as truncates, (t.tgtype & 1) <> 0 as by_row, (t.tgtype & 2) = 0 as after
       from pg_trigger t join pg_proc p on p.oid = t.tgfoid
       where t.tgrelid = 'public.people'::regclass and not t.tgisinternal order by t.tgname`,
    );
    const guarded = { enabled: 'A', definer: true, config: ['search_path=pg_catalog, pg_temp'], after: true };
    expect(rows).toMatchObject([
      { trigger: 'zz_millrace', ...guarded, truncates: false, by_row: true },
      { trigger: 'zz_millrace_truncate', ...guarded, truncates: true, by_row: false },
    ]);
  });
});

/** By name without what all of them begin with. */
async function metricsOf(pipeline: string): Promise<Record<string, number>> {
  const response = await fetch(`${bridge.instances[0]?.url}/metrics`);
  const lines = (await response.text()).matchAll(/^cdc_bridge_(\w+)\{pipeline="([^"]+)"\} (\S+)$/gm);
  const own = [...lines].filter(([, , of]) => of === pipeline);
  return Object.fromEntries(own.map(([, name, , value]) => [name, Number(value)]));
}

const MILLRACE = fileURLToPath(new URL('../../../../packages/cli/bin/millrace.js', import.meta.url));

/** `millrace pipelines …`, as an operator asks this bridge. */
async function millrace(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const url = bridge.instances[0]?.url ?? '';
  return await promisify(execFile)(process.execPath, [MILLRACE, 'pipelines', ...args, '--url', url]).then(
    (output) => ({ code: 0, ...output }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe('what it tells of itself', () => {
  it('how far a pipeline is behind, what it has read and applied, also as metrics', async () => {
    const rest = await eventually('nothing to be left', 60_000, async () => {
      const status = await bridge.untilIdle(sales);
      return status.sweep === null && status;
    });
    expect(rest.lag.sinkSeconds).toBe(0);
    await post(`${sales}/pause`);
    await untilState(sales, 'paused');
    await flows.app.query('insert into sales values (101, 1), (102, 1)');
    const behind = async (seconds: number) => {
      const { lag } = await bridge.status(sales);
      return (lag.records ?? 0) >= 2 && (lag.sinkSeconds ?? 0) > seconds && lag;
    };
    const { sinkSeconds } = await eventually('the lag', 30_000, () => behind(0));
    await eventually('the lag to grow', 30_000, () => behind((sinkSeconds ?? 0) + 1));
    await eventually('the metrics to tell it', 10_000, async () => {
      const told = await metricsOf(sales);
      expect(told).toMatchObject({ paused: 1, waiting: 0 });
      return (told.lag_records ?? 0) >= 2 && (told.sink_lag_seconds ?? 0) > 1;
    });
    await post(`${sales}/resume`);
    const { lag, rows } = await bridge.untilIdle(sales);
    expect([lag.sinkSeconds, rows.read - rest.rows.read, rows.applied - rest.rows.applied]).toEqual([
      0, 2, 2,
    ]);
    // One scrape's answers are good for the next half of a second.
    await eventually('the metrics to tell it', 10_000, async () => {
      expect(await metricsOf(sales)).toEqual({
        lag_records: 0,
        source_lag_seconds: expect.any(Number),
        sink_lag_seconds: 0,
        rows_read: rows.read,
        rows_applied: rows.applied,
        paused: 0,
        waiting: 0,
        dead_letters_total: 0,
      });
      return true;
    });

    const atSource = async () => (await bridge.status(sales)).lag.sourceSeconds ?? 0;
    await bridge.connect.stop(bridge.connector('postgres'), signal());
    try {
      await eventually('the connector to be behind', 30_000, async () => (await atSource()) > 3);
    } finally {
      await bridge.connect.resume(bridge.connector('postgres'), signal());
    }
    await eventually('the connector to catch up', 60_000, async () => (await atSource()) < 3);
  });

  it('hints that needed no write, and conflicts, in pages, of a pair, also as metrics', async () => {
    const ids = [31, 32, 33];
    const before = await bridge.untilIdle(people);
    await flows.app.query(`insert into people select n, 'both' from generate_series(31, 33) n`);
    // The look that sees that all is well, and the echo of each document.
    const echoed = await eventually('the echoes', 60_000, async () => {
      const status = await bridge.untilIdle(people);
      const hints = (status.pair?.withoutWrite ?? 0) - (before.pair?.withoutWrite ?? 0);
      return hints >= 2 * ids.length && status;
    });
    expect(echoed.rows.applied - before.rows.applied).toBe(ids.length);
    expect(echoed.pair?.conflicts).toBe(before.pair?.conflicts);

    await post(`${people}/pause`);
    await untilState(people, 'paused');
    await flows.app.query(`update people set name = 'row' where id = any($1)`, [ids]);
    await persons().updateMany({ _id: { $in: ids } }, { $set: { name: 'doc' } });
    await post(`${people}/resume`);
    const conflicts = (before.pair?.conflicts ?? 0) + ids.length;
    await eventually('the conflicts', 60_000, async () => {
      return (await bridge.status(people)).pair?.conflicts === conflicts;
    });
    await eventually('the metrics to tell it', 10_000, async () => {
      const { conflicts: told, parked_keys: parked } = await metricsOf(people);
      return told === conflicts && parked === 0;
    });
    const page = (more: string) =>
      bridge.ask<ConflictPage>('GET', `/pipelines/${people}/conflicts?limit=2${more}`);
    const first = await page('');
    const second = await page(`&before=${first.nextBefore}`);
    const items = [...first.items, ...second.items.slice(0, 1)];
    expect(first.items).toHaveLength(2);
    expect(items.map(({ key }) => key).sort()).toEqual(ids.map((id) => `["${id}"]`));
    expect(items).toMatchObject(ids.map(() => ({ lost: 'mongo', loser: { name: 'doc' } })));
    let last = second;
    while (last.nextBefore) last = await page(`&before=${last.nextBefore}`);
    expect(last.items.length).toBeGreaterThan(0);
  });

  it('lists every route, with its answers', async () => {
    const { paths } = (await ask('GET', '/openapi.json')).body as unknown as {
      paths: Record<string, Record<string, { responses: object }>>;
    };
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => {
        return `${method} ${path} ${Object.keys(responses).filter((status) => status !== '500')}`;
      }),
    );
    const own = told.filter((line) => line.includes('/pipelines'));
    expect(own.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      'get /pipelines',
      'get /pipelines/{name}',
      'get /pipelines/{name}/conflicts',
      'post /pipelines/{name}/conflicts/{id}/restore',
      'post /pipelines/{name}/pause',
      'post /pipelines/{name}/repair',
      'post /pipelines/{name}/replay',
      'post /pipelines/{name}/resnapshot',
      'post /pipelines/{name}/resume',
      'post /pipelines/{name}/verify',
    ]);
    expect(own.find((line) => line.includes('/resnapshot'))).toMatch(/202.*404.*409/);
    expect(own.find((line) => line.includes('/verify'))).toMatch(/200.*404.*409.*504/);
    expect(own.find((line) => line.includes('/restore'))).toMatch(/200.*404.*409/);
  });

  it('is alive and ready while all pipelines run', async () => {
    expect((await ask('GET', '/health/live')).status).toBe(200);
    await eventually('readiness', 60_000, async () => (await ask('GET', '/health/ready')).status === 200);
  });

  it('logs a request under the trace of who asks', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const response = await fetch(`${bridge.instances[0]?.url}/pipelines/${people}/verify`, {
      method: 'POST',
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    expect(response.headers.get('traceparent')).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)`));
    const line = await eventually('the line', 10_000, () =>
      bridge.instances[0]?.lines('request answered').find(({ trace_id }) => trace_id === trace),
    );
    expect(line).toMatchObject({ path: `/pipelines/${people}/verify`, status: 200 });
  });
});

describe('from a terminal', () => {
  it('is listed, shown, paused and resumed', async () => {
    expect(await millrace('pause', sales)).toMatchObject({ code: 0 });
    await untilState(sales, 'paused');
    expect((await millrace()).stdout.split('\n')).toContainEqual(
      expect.stringMatching(new RegExp(`^${sales}\\s+paused\\s+public\\.sales .* → sales `)),
    );
    const { code, stderr } = await millrace('repair', sales);
    expect([code, stderr.trim()]).toEqual([1, `${sales} is paused: resume it first`]);
    expect(await millrace('resume', sales)).toMatchObject({ code: 0 });
    await untilState(sales, 'running');
    expect(JSON.parse((await millrace('show', sales)).stdout)).toMatchObject({
      name: sales,
      state: 'running',
    });
  });

  it('is verified, repaired and read again; a difference is a failure', async () => {
    await bridge.untilIdle(sales);
    await flows.documents.collection<{ _id: number }>('sales').deleteOne({ _id: 2 });
    const differs = await millrace('verify', sales);
    expect(JSON.parse(differs.stdout)).toMatchObject({ missing: 1, extra: 0, different: 0 });
    expect([differs.code, differs.stderr.trim()]).toEqual([1, `${sales}: 1 rows differ.`]);
    const { stdout } = await millrace('repair', sales);
    expect(JSON.parse(stdout)).toMatchObject({ repaired: { written: 1 } });
    expect(await millrace('verify', sales)).toMatchObject({ code: 0, stderr: '' });
    expect(await millrace('resnapshot', sales)).toMatchObject({ code: 0 });
    await flows.untilSwept(sales, /asked for/);
  });

  it('tells conflicts, and puts a loser back', async () => {
    const { items } = JSON.parse((await millrace('conflicts', people)).stdout) as ConflictPage;
    const conflict = items.find(({ key }) => key === '["31"]');
    expect(conflict).toMatchObject({ lost: 'mongo', loser: { name: 'doc' } });
    const { stdout } = await millrace('restore', people, conflict?.id ?? '');
    expect(JSON.parse(stdout)).toEqual({ restored: true });
    await eventually('it to be back', 60_000, async () => {
      return (await rowsOf('people')).some(({ id, name }) => String(id) === '31' && name === 'doc');
    });
  });

  it('says of a name that there is not which it was, and fails', async () => {
    for (const verb of ['show', 'pause', 'resume', 'resnapshot', 'verify', 'repair', 'replay', 'conflicts']) {
      const { code, stderr } = await millrace(verb, 'nobody');
      expect([code, stderr.trim()]).toEqual([1, expect.stringContaining('nobody')]);
    }
  });
});
