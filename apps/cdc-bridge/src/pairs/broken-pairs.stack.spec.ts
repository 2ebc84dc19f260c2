import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { killPart } from '../testing/stack-parts.js';
import { RunningPairs } from './testing/running-pairs.js';
import { TwoWayLoad } from './testing/two-way.load.js';

const KEYS = 20;
const QUIET_KEYS = Array.from({ length: 20 }, (_, i) => 1_001 + i);
/** The bridge's writes are altered, too. */
const TOUCH = `
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create trigger touch before update on edited for each row execute function touch()`;

let pairs: RunningPairs | undefined;
afterEach(() => pairs?.[Symbol.asyncDispose]());

/** Two instances of the built bridge, from which a module has taken something. */
async function deployed(preload: string): Promise<RunningPairs> {
  const { href } = new URL(`./testing/${preload}.preload.ts`, import.meta.url);
  const bridge = await BridgeUnderTest.create(inject('stack'), { NODE_OPTIONS: `--import ${href}` });
  const options = {
    policies: { edited: { priority: 'postgres' } },
    unpaired: 'unpaired',
    instances: 2,
  } as const;
  pairs = await RunningPairs.deploy(inject('stack'), { ...options, sql: TOUCH }, bridge);
  return pairs;
}

describe('what running pairs are tested by fails', { timeout: 300_000 }, () => {
  it('without the rev check: writes are lost', async () => {
    const running = await deployed('without-rev-check');
    const { bridge, watched } = running;
    await using load = new TwoWayLoad({
      databases: bridge.databases,
      tables: ['edited'],
      keys: KEYS,
      seed: 20_261,
      writers: 2,
    });
    await load.start();
    await delay(5_000);
    await bridge.restart(0);
    await killPart('connect');
    await delay(5_000);
    await load.stop();
    await running.atRest();
    const { lost } = await watched.find(await watched.conflicts());
    expect([...lost, ...(await running.differences())]).not.toEqual([]);
  });

  it('without accepted: there are conflicts where nothing is concurrent', async () => {
    const running = await deployed('without-accepted');
    const { app, docs, watched } = running;
    for (const id of QUIET_KEYS) await app.query(`insert into edited (id, note) values (${id}, 'new')`);
    await running.atRest();
    const documents = docs.collection<{ _id: number }>('edited');
    for (const id of QUIET_KEYS) await documents.updateOne({ _id: id }, { $set: { note: `doc ${id}` } });
    await running.atRest();
    for (const id of QUIET_KEYS) await documents.updateOne({ _id: id }, { $set: { note: `again ${id}` } });
    await running.atRest();
    expect((await watched.conflicts()).length).toBeGreaterThan(0);
  });
});
