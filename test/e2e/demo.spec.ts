import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStack } from '@millrace/stack';
import { LOOPBACK, listeningAddresses, type StackEndpoints } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { millrace } from './support/millrace.js';
import { untilPipelinesEqual } from './support/own-pipelines.js';
import { ownStack } from './support/own-stack.js';
import { root } from './support/root.js';

const demo = (...options: string[]) => millrace(inject('stackFolder'), 'demo', ...options);

const running = async (stateDir: string) =>
  (await openStack({ root, stateDir }).status())
    .filter(({ pid }) => pid !== undefined)
    .map(({ name }) => name);
const everything = async () => Object.keys((await ownStack().endpoints()).processes);

describe('on a stack that is up', () => {
  it('shows the way of one order and of many, holds the books against each other, and leaves it up', async () => {
    const { exitCode, all } = await demo('--orders', '120');
    expect([exitCode, all]).toEqual([0, expect.stringContaining('All 10 claims hold.')]);
    for (const shown of [
      ...['OrderPlaced is on order.events', 'partition', 'offset', 'key', 'event id'],
      ...['orders-changes.public.orders, partition', 'MongoDB, orders', 'Postgres, stock_levels'],
      ...['inventory-changes.inventory.stock, partition', 'MongoDB, customers', 'Postgres, customers'],
      ...[
        'loser, of postgres',
        'countess@example.com',
        'pipeline orders',
        'pipeline stock',
        'pipeline customers',
      ],
      ...['Postgres, orders', 'MongoDB, stock', 'first order confirmed', 'resident memory', 'p50', 'p99'],
    ]) {
      expect(all).toContain(shown);
    }
    expect(await running(inject('stackFolder'))).toEqual(await everything());
    const rows = await untilPipelinesEqual(await ownStack().endpoints());
    expect(rows.orders).toBeGreaterThanOrEqual(120);
    expect([rows.stock, rows.customers]).not.toContain(0);
  }, 300_000);

  it('stops at Ctrl-C, and leaves it up', async () => {
    const run = demo('--orders', '20000');
    const talks = new Promise<void>((resolve) => {
      run.all?.on('data', (text) => String(text).includes('step by step') && resolve());
    });
    await Promise.race([talks, run]);
    run.kill('SIGINT');
    expect((await run).exitCode).toBe(130);
    expect(await running(inject('stackFolder'))).toEqual(await everything());
  }, 300_000);

  it('fails when a claim does not hold, and names the logs to read', async () => {
    // One order cannot be confirmed, rejected and cancelled.
    const { exitCode, all } = await demo('--orders', '1');
    expect(exitCode).toBe(1);
    expect(all).toMatch(
      /The demo failed: 1 of 10 claims do not hold.*Logs to read:.*order-service-1 .*order-service-1\.log/s,
    );
  }, 300_000);
});

describe('on a stack of its own', () => {
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'demo-'));
  });
  afterAll(async () => {
    await millrace(stateDir, 'stack', 'down', '--volumes');
    await rm(stateDir, { recursive: true, force: true });
  });

  it('starts it, and with --keep leaves it running and prints every URL', async () => {
    const { exitCode, all } = await millrace(stateDir, 'demo', '--orders', '40', '--keep');
    expect([exitCode, all]).toEqual([0, expect.stringContaining('All 10 claims hold.')]);
    const file = JSON.parse(await readFile(join(stateDir, 'stack.json'), 'utf8'));
    expect(file).toEqual(await openStack({ root, stateDir }).endpoints());
    const { kafka, registry, connect, services } = file as StackEndpoints;
    for (const url of [
      ...kafka.bootstrapServers,
      registry.url,
      connect.url,
      ...Object.values(services).flat(),
    ]) {
      expect(all).toContain(url);
    }
    for (const [name, { pid }] of Object.entries((file as StackEndpoints).processes)) {
      const elsewhere = (await listeningAddresses(pid)).filter((address) => !LOOPBACK.includes(address));
      expect([name, elsewhere]).toEqual([name, []]);
    }
  }, 300_000);

  it('stops what it started', async () => {
    await millrace(stateDir, 'stack', 'down');
    const { exitCode, all } = await millrace(stateDir, 'demo', '--orders', '40');
    expect([exitCode, all]).toEqual([0, expect.stringContaining('All 10 claims hold.')]);
    const megabytes = Number(/resident memory\s+(\d+) MB/.exec(all)?.[1]);
    expect(megabytes).toBeGreaterThan(500);
    expect(megabytes).toBeLessThan(3 * 1024);
    expect(await running(stateDir)).toEqual([]);
  }, 300_000);
});

it.each([
  [['--orders', 'many'], /whole number/],
  [['--seed', '-1'], /whole number/],
  [['--nonsense'], /unknown option/],
])('refuses %j with a sentence', async (options, sentence) => {
  const { exitCode, all } = await demo(...options);
  expect([exitCode, all]).toEqual([1, expect.stringMatching(sentence)]);
});
