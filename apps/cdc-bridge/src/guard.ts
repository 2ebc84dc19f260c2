import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { endIdleTransactions } from './pairs/idle-transactions.js';
import { GUARD_PATIENCE } from './pairs/patience.js';
import type { GuardedDatabase } from './pairs/transaction-guard.js';

const { silentMs, lookEveryMs, idleMs } = GUARD_PATIENCE;
/** A process that stands still opens no transactions: so long after it was last heard there is nothing to look for. */
const DONE_AFTER_MS = 3_000;
const ANSWERS_WITHIN_MS = 5_000;

interface Guarded {
  readonly client: MongoClient;
  readonly appNames: readonly string[];
}

const guarded: Guarded[] = [];
let heardAt = performance.now();
let isOver = false;

// What ends the bridge by its terminal or its group is for the bridge to obey: it tells when it has.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    heardAt = performance.now();
    if (line === 'end') process.exit(0);
    if (line.startsWith('[')) guarded.push(...(JSON.parse(line) as GuardedDatabase[]).map(open));
  })
  .on('close', () => {
    isOver = true;
  });

for (;;) {
  await sleep(lookEveryMs);
  const silent = performance.now() - heardAt;
  if (isOver && silent > DONE_AFTER_MS) process.exit(0);
  if ((isOver || silent > silentMs) && silent < DONE_AFTER_MS) await endAll();
}

function open({ url, appNames }: GuardedDatabase): Guarded {
  const client = new MongoClient(url, {
    appName: 'millrace-guard',
    maxPoolSize: 1,
    connectTimeoutMS: ANSWERS_WITHIN_MS,
    serverSelectionTimeoutMS: ANSWERS_WITHIN_MS,
    socketTimeoutMS: ANSWERS_WITHIN_MS,
  });
  client.connect().catch(() => undefined); // each look tries again
  return { client, appNames };
}

/** A database that is away is tried again with the next look. */
async function endAll(): Promise<void> {
  for (const { client, appNames } of guarded)
    for (const appName of appNames) await endIdleTransactions(client, appName, idleMs).catch(() => undefined);
}
