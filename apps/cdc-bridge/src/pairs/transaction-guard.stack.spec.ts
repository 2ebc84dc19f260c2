import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '@millrace/testing';
import type { ClientSession, Document } from 'mongodb';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';

const ENTRY = fileURLToPath(new URL('../../dist/guard.js', import.meta.url));
const APP = 'guarded-by-a-test';

let databases: Databases;
let guard: ChildProcess;
let heartbeat: NodeJS.Timeout;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  guard = spawn(process.execPath, [ENTRY], { stdio: ['pipe', 'ignore', 'inherit'], env: {} });
  tell(JSON.stringify([{ url: databases.mongoUrl('bridge'), appNames: [APP] }]));
  heartbeat = setInterval(() => tell(''), 50);
  await eventually('it to be there', 30_000, async () => (await opsOf('millrace-guard')).length > 0);
}, 60_000);

afterEach(async () => {
  clearInterval(heartbeat);
  guard.kill('SIGKILL');
  await databases?.[Symbol.asyncDispose]();
});

const tell = (line: string) => guard.stdin?.write(`${line}\n`);

/** One of the bridge's that has written, and sits idle. */
async function openTransaction(): Promise<ClientSession> {
  const client = await databases.mongo('bridge', { appName: APP });
  const collection = client.db(`${databases.name}_bridge`).collection('some');
  await collection.insertOne({});
  const session = client.startSession();
  session.startTransaction();
  await collection.insertOne({}, { session });
  return session;
}

/** What the server knows of connections and sessions of that name. */
async function opsOf(appName: string): Promise<Document[]> {
  const bridge = await databases.mongo('bridge');
  const all = { $currentOp: { idleSessions: true, idleConnections: true } };
  return await bridge
    .db('admin')
    .aggregate([all, { $match: { appName } }])
    .toArray();
}

/** Milliseconds since the transaction's last statement; undefined once it is over. */
async function idleMs(): Promise<number | undefined> {
  const transactions = (await opsOf(APP)).flatMap(({ transaction }) => transaction ?? []);
  return transactions[0] && transactions[0].timeInactiveMicros / 1_000;
}

it('leaves the transactions of a bridge alone that lives, and ends those of one that stands still', async () => {
  await using _ = await openTransaction();
  await eventually('it to sit for long', 20_000, async () => ((await idleMs()) ?? Number.NaN) > 2_000);
  clearInterval(heartbeat);
  await eventually('its end', 2_000, async () => (await idleMs()) === undefined);
});

it('outlives what ends a terminal’s processes, and ends itself when all is done', async () => {
  await using _ = await openTransaction();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) guard.kill(signal);
  clearInterval(heartbeat);
  guard.stdin?.end(); // as where the bridge is killed
  await eventually('its end', 20_000, () => guard.exitCode !== null || guard.signalCode !== null);
  expect([guard.exitCode, guard.signalCode, await idleMs()]).toEqual([0, null, undefined]);
});

it('ends at once when the bridge has ended in good order', async () => {
  const ended = once(guard, 'exit');
  tell('end');
  expect(await ended).toEqual([0, null]);
});
