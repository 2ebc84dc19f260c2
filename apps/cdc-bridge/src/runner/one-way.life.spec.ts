import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ColumnWatch } from './column-watch.js';
import { OneWayLife } from './one-way.life.js';
import type { OneWayParts } from './one-way.parts.js';
import type { PipelineRunner } from './pipeline.runner.js';

/** A table, and what runs over it: `events` tell what happened, each runner by the columns that it was opened over. */
let columns: string;
let fault: Error | undefined;
let events: string[];
let life: OneWayLife;
/** Resolves when a runner is about to close. */
let closing: PromiseWithResolvers<void>;

class FakeRunner {
  constructor(readonly columns: string) {}

  start(): void {
    events.push(`start ${this.columns}`);
  }

  async close(): Promise<void> {
    closing.resolve();
    await sleep(20);
    events.push(`close ${this.columns}`);
  }
}

const lifeOver = (watch: ColumnWatch | undefined) =>
  new OneWayLife({
    pipeline: 'levels',
    log: silentLog,
    columns: watch,
    open: async () => {
      if (fault) throw fault;
      events.push(`open ${columns}`);
      return { route: { reports: [columns] } } as unknown as OneWayParts;
    },
    runnerOver: ({ route }) => new FakeRunner(String(route.reports)) as unknown as PipelineRunner,
  });
const until = (event: string) => eventually(event, 5_000, () => events.includes(event));

beforeEach(() => {
  [columns, fault, events, closing] = ['int2', undefined, [], Promise.withResolvers()];
  life = lifeOver(new ColumnWatch(async () => columns, 5));
});
afterEach(() => life.close());

it('opens anew when the columns have changed, and runs no two runners at once', async () => {
  life.start();
  await until('start int2');
  columns = 'int4';
  await until('start int4');
  expect(events).toEqual(['open int2', 'start int2', 'open int4', 'close int2', 'start int4']);
  expect(life.parts?.route.reports).toEqual(['int4']);
  await sleep(50);
  await life.close();
  expect(events.slice(5)).toEqual(['close int4']);
});

it('goes on as it was while it cannot be opened anew, and says nothing of its own', async () => {
  life.start();
  await until('start int2');
  [columns, fault] = ['', new Error('the table has no column n')];
  await sleep(50);
  expect([events, life.fault]).toEqual([['open int2', 'start int2'], undefined]);
  [columns, fault] = ['int4', undefined];
  await until('start int4');
  expect(events.slice(2)).toEqual(['open int4', 'close int2', 'start int4']);
});

it('sees a change that was made while it opened', async () => {
  const read = async () => columns;
  const watch = new ColumnWatch(read, 5);
  await watch.opening(async () => (columns = 'int4'));
  await watch.changed(AbortSignal.timeout(5_000));
});

it('tells why it has not started, until it has', async () => {
  fault = new Error('the table has no column n');
  life.start();
  await eventually('the fault', 5_000, () => life.fault === fault?.message);
  expect(life.runner).toBeUndefined();
  fault = undefined;
  await until('start int2');
  expect(life.fault).toBeUndefined();
});

it('opens once where there are no columns to watch', async () => {
  await life.close();
  life = lifeOver(undefined);
  life.start();
  await until('start int2');
  columns = 'int4';
  await sleep(50);
  expect(events).toEqual(['open int2', 'start int2']);
});

it('starts nothing more once it is closed, also while one runner gives way to another', async () => {
  life.start();
  await until('start int2');
  columns = 'int4';
  await closing.promise;
  await life.close();
  expect(events).toEqual(['open int2', 'start int2', 'open int4', 'close int2', 'close int4']);
});
