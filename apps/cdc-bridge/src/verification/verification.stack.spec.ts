import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { repairKeys } from './repair.js';
import { sweep } from './sweep.js';
import { garbageCollector } from './testing/garbage-collector.js';
import { keyOf, Mirror } from './testing/mirror.fixture.js';
import { verify } from './verify.js';

const forever = new AbortController().signal;

let databases: Databases;
let mirror: Mirror;

afterEach(async () => {
  await mirror?.[Symbol.asyncDispose]();
  await databases?.[Symbol.asyncDispose]();
});

describe.each(['mongo', 'postgres'] as const)('a target in %s', (to) => {
  beforeEach(async () => {
    databases = await Databases.create(inject('stack').databases);
    mirror = await Mirror.create(databases, to);
    await mirror.start();
  });

  const parts = () => ({
    route: mirror.route,
    sink: mirror.sink,
    caughtUp: () => mirror.caughtUp(),
    drained: (signal: AbortSignal) => mirror.drained(signal),
  });

  async function fill(rows: number): Promise<void> {
    await mirror.owner.query(
      `insert into items select i, i * 2, case when i % 5 = 0 then null else 'label ' || i end
       from generate_series(1, $1::int) i`,
      [rows],
    );
    await mirror.drained(forever);
  }

  it('names exactly what differs, and a sweep mends it', async () => {
    await fill(2_000);
    expect(await verify(parts(), forever)).toEqual({
      ...{ sourceRows: 2_000, targetRows: 2_000, compared: 2_000, missing: 0, extra: 0, different: 0 },
      ...{ sample: [], pending: 0, unsettled: 0, note: null },
    });
    await mirror.tamper.remove(7);
    await mirror.tamper.put({ id: 9_999, n: 1, label: 'of nobody' });
    await mirror.tamper.put({ id: 10, n: 20, label: 'not null' });
    const found = { missing: 1, extra: 1, different: 1, unsettled: 0 };
    const report = await verify(parts(), forever);
    expect(report).toMatchObject(found);
    expect(report.sample.toSorted((a, b) => Number(a.key) - Number(b.key))).toEqual([
      { key: '7', kind: 'missing', fields: [] },
      { key: '10', kind: 'different', fields: ['label'] },
      { key: '9999', kind: 'extra', fields: [] },
    ]);
    const { verified, repaired } = await sweep(parts(), forever);
    expect(verified).toMatchObject(found);
    expect(repaired).toEqual({ written: 2, removed: 1, kept: 0, failed: 0, mayPass: 0, failures: [] });
    expect(await mirror.unlike()).toEqual([]);
  });

  it('finds no difference where there is none, while rows change all the time', async () => {
    await fill(300);
    mirror.lagMs = 15;
    // Few rows, so that each goes back and forth while it is looked at.
    const writers = write(4, 12);
    await mirror.tamper.put({ id: 5_000, n: 1, label: 'of nobody' });
    try {
      for (let i = 0; i < 4 || writers.written() < 300; i++) {
        const report = await verify(parts(), forever);
        expect(report).toMatchObject({ missing: 0, extra: 1, different: 0 });
        expect(report.sample).toEqual([{ key: '5000', kind: 'extra', fields: [] }]);
      }
    } finally {
      await writers.stop();
    }
  });

  it('never lets an old image win over a repair, nor over what was applied meanwhile', async () => {
    await fill(60);
    mirror.lagMs = 10;
    const writers = write(3, 60);
    const keys = Array.from({ length: 60 }, (_, i) => keyOf(i + 1, mirror.keyName));
    let repairs = 0;
    const until = performance.now() + 5_000;
    while (performance.now() < until) {
      const report = await repairKeys(parts(), keys, forever);
      expect(report.failures).toEqual([]);
      repairs++;
    }
    expect(await writers.stop()).toBeGreaterThan(100);
    expect(repairs).toBeGreaterThan(5);
    await mirror.drained(forever);
    expect(await mirror.unlike()).toEqual([]);
  });

  it('reads the source only once nothing can be applied any more', async () => {
    await fill(3);
    const [key] = [keyOf(1, mirror.keyName)];
    const locked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const read = async () => {
      const puts = await mirror.route.source.read([key]);
      locked.resolve();
      await release.promise;
      return { puts, deletes: [], patches: [] };
    };
    const repair = mirror.sink.repair(mirror.route.pipeline.name, read);
    await locked.promise;
    await mirror.owner.query(`update items set n = 77 where id = 1`);
    const applied = mirror.drained(forever).then(() => 'applied');
    expect(await Promise.race([applied, sleep(300, 'held')])).toBe('held');
    release.resolve();
    await repair;
    expect(await applied).toBe('applied');
    expect(await mirror.unlike()).toEqual([]);
  });

  it('keeps a partition from beginning while it repairs', async () => {
    const { pipeline } = mirror.route;
    const release = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const repair = mirror.sink.repair(pipeline.name, async () => {
      locked.resolve();
      await release.promise;
      return { puts: [], deletes: [], patches: [] };
    });
    await locked.promise;
    const begun = mirror.checkpoints
      .start({ pipeline: pipeline.name, topic: 'another', partition: 9 }, 5n)
      .then(() => 'begun');
    expect(await Promise.race([begun, sleep(300, 'held')])).toBe('held');
    release.resolve();
    await repair;
    expect(await begun).toBe('begun');
  });

  it('waits for what is on its way', async () => {
    await fill(10);
    mirror.isPaused = true;
    await mirror.owner.query('update items set n = 5 where id = 2');
    const report = verify(parts(), forever);
    expect(await Promise.race([report, sleep(800, 'waiting')])).toBe('waiting');
    mirror.isPaused = false;
    expect(await report).toMatchObject({ compared: 10, different: 0, unsettled: 0, note: null });
  });

  it('stops at once, and in time', async () => {
    await fill(10);
    await mirror.tamper.remove(1);
    mirror.isPaused = true;
    await mirror.owner.query(`update items set n = 5 where id = 2`);
    await expect(verify(parts(), AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
    mirror.isPaused = false;
    await eventually('the mirror to go on', 10_000, async () => (await mirror.unlike()).length === 1);
  });

  it('compares a hundred thousand rows in little memory', async () => {
    await mirror.owner.query(`alter table items disable trigger log_change;
      insert into items select i, i * 2, 'label ' || i from generate_series(1, 100000) i`);
    await mirror.tamper.copy();
    await mirror.tamper.remove(50_000);
    const { source } = mirror.route;
    const collect = garbageCollector();
    collect();
    const before = process.memoryUsage().heapUsed;
    let most = 0;
    let pages = 0;
    const watched = {
      ...mirror.route,
      source: {
        read: source.read,
        async *all(signal: AbortSignal) {
          for await (const page of source.all(signal)) {
            if (++pages % 20 === 0) {
              collect();
              most = Math.max(most, process.memoryUsage().heapUsed - before);
            }
            yield page;
          }
        },
      },
    };
    const report = await verify({ ...parts(), route: watched }, forever);
    expect(report).toMatchObject({ sourceRows: 100_000, missing: 1, extra: 0, different: 0 });
    expect(pages).toBeGreaterThan(150);
    expect(most).toBeLessThan(25 * 1024 * 1024);
  });
});

/** Writers at full speed on ids up to a number: updates back and forth, deletes and inserts, some in transactions. */
function write(writers: number, ids: number) {
  let isStopped = false;
  let written = 0;
  const run = async () => {
    const client = await databases.postgres('owner');
    while (!isStopped) {
      const id = 1 + Math.floor(Math.random() * ids);
      const other = 1 + Math.floor(Math.random() * ids);
      const kind = Math.random();
      try {
        if (kind < 0.6) await client.query('update items set n = 1 - n % 2 where id = $1', [id]);
        else if (kind < 0.8) {
          await client.query('delete from items where id = $1', [id]);
          await client.query('insert into items values ($1, 0, $2) on conflict do nothing', [
            id,
            `again ${id}`,
          ]);
        } else {
          await client.query('begin');
          await client.query('update items set n = n + 1 where id = $1', [Math.min(id, other)]);
          await client.query('update items set label = null where id = $1', [Math.max(id, other)]);
          await client.query('commit');
        }
        written++;
      } catch (error) {
        if ((error as { code?: string }).code !== '40P01') throw error;
        await client.query('rollback');
      }
      await sleep(Math.random() * 4);
    }
  };
  const running = Promise.all(Array.from({ length: writers }, run));
  running.catch(() => {});
  return {
    written: () => written,
    stop: async () => {
      isStopped = true;
      await running;
      return written;
    },
  };
}
