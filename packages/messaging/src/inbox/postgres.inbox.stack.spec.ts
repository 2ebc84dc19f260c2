import { eventually } from '@millrace/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.js';
import { openPostgres, type PostgresUnderTest } from '../spec-support/postgres-under-test.js';
import { InboxPruner } from './inbox-pruner.js';
import { PostgresInbox, PostgresInboxStore } from './postgres.inbox.js';

const inbox = new PostgresInbox();
let postgres: PostgresUnderTest;

beforeAll(async () => {
  postgres = await openPostgres();
  await postgres.pool.query('create table effects (event_id text)');
});
afterAll(() => postgres.close());
beforeEach(() => postgres.pool.query('truncate inbox, effects'));

const count = async (table: string) =>
  Number((await postgres.pool.query(`select count(*) from ${table}`)).rows[0].count);

/** A handler as the services have them: claim, then effect, in one transaction. */
const handle = (eventId: string, fail = false) =>
  postgres.transaction(async (execute) => {
    if (!(await inbox.claim(execute, eventId, 'order.events'))) return false;
    await execute('insert into effects values ($1)', [eventId]);
    if (fail) throw new Error('after the effect');
    return true;
  });

test('of deliveries at the same moment one has the effect, and the others are told', async () => {
  const claimed = await Promise.all(Array.from({ length: 8 }, () => handle('e')));
  expect(claimed.filter(Boolean)).toEqual([true]);
  expect(await count('effects')).toBe(1);
});

test('a claim of a transaction that was rolled back is none, also for one that waited for it', async () => {
  const results = await Promise.allSettled([handle('e', true), handle('e')]);
  expect(results.filter((result) => result.status === 'fulfilled' && result.value).length).toBe(1);
  expect(await count('effects')).toBe(1);
});

test('pruning removes what is older than the log, in batches, and nothing else', async () => {
  await postgres.pool.query(
    `insert into inbox select 'old-' || n, 't', now() - interval '2 hours' from generate_series(1, 2500) n`,
  );
  await postgres.pool.query(`insert into inbox values ('new', 't', now() - interval '30 minutes')`);
  const store = new PostgresInboxStore(postgres.execute);
  expect(await store.prune(new Date(Date.now() - 3_600_000), 100)).toBe(100);
  const pruner = new InboxPruner({ store, retentionMs: 3_600_000, log: silentLog, everyMs: 60_000 });
  pruner.start();
  await eventually('one row to be left', 10_000, async () => (await count('inbox')) === 1);
  await pruner.close();
  expect(await inbox.claim(postgres.execute, 'new', 't')).toBe(false);
});
