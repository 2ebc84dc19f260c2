import { fileURLToPath } from 'node:url';
import { type Log, silentLog } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { TransactionGuard } from './transaction-guard.js';

const ENTRY = fileURLToPath(new URL('../../dist/guard.js', import.meta.url));

let databases: Databases;
let guard: TransactionGuard;
const warned: string[] = [];

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  warned.length = 0;
  const log: Log = { ...silentLog, warn: (message) => void warned.push(message) };
  guard = new TransactionGuard([{ url: databases.mongoUrl('bridge'), appNames: ['any'] }], log, ENTRY);
});

afterEach(async () => {
  await guard.close();
  await databases?.[Symbol.asyncDispose]();
});

/** Of this test's role, and so of its own guard. */
async function connections(): Promise<number> {
  const bridge = await databases.mongo('bridge');
  const own = { $currentOp: { idleConnections: true } };
  const found = await bridge
    .db('admin')
    .aggregate([own, { $match: { appName: 'millrace-guard' } }])
    .toArray();
  await bridge.close();
  return found.length;
}

const untilThere = () => eventually('a guard', 30_000, async () => (await connections()) > 0);

it('is started again when it dies, and is gone when it is closed', async () => {
  guard.start();
  await untilThere();
  const first = guard.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await eventually('its end', 10_000, async () => (await connections()) === 0);
  await untilThere();
  expect(guard.pid).not.toBe(first);
  expect(warned).toEqual(['the guard of transactions has ended, and is started again']);
  await guard.close();
  await eventually('its end', 10_000, async () => (await connections()) === 0);
});

it('is started again when it could not be started', async () => {
  const { execPath } = process;
  process.execPath = `${ENTRY}/nowhere`;
  try {
    guard.start();
    await eventually('it to be told', 10_000, () => warned.length > 0);
  } finally {
    process.execPath = execPath;
  }
  expect([warned, guard.pid]).toEqual([
    ['the guard of transactions cannot start, and is started again'],
    undefined,
  ]);
  await untilThere();
});
