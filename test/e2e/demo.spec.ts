import { execa } from 'execa';
import { expect, it } from 'vitest';
import { ownStack, ownStateDir, root } from './support/own-stack.js';

/** The demo as `npx pnpm demo` runs it, on the stack of the tests. */
const demo = (...options: string[]) =>
  execa('node', ['packages/cli/bin/millrace.js', 'demo', ...options], {
    cwd: root,
    env: { MILLRACE_STATE_DIR: ownStateDir, NODE_ENV: 'production' },
    reject: false,
    all: true,
    timeout: 170_000,
  });

it('shows the way of one order and of many, holds the books against each other, and leaves the stack up', async () => {
  const { exitCode, all } = await demo('--orders', '120');
  expect([exitCode, all]).toEqual([0, expect.stringContaining('All 7 claims hold.')]);
  for (const shown of ['OrderPlaced is on order.events', 'offset', 'event id', 'MongoDB, stock', 'Postgres, orders', 'p99']) {
    expect(all).toContain(shown);
  }
  expect((await ownStack().status()).filter(({ pid }) => pid === undefined)).toEqual([]);
}, 180_000);

it('stops at Ctrl-C, and leaves up a stack that was up before', async () => {
  const run = demo('--orders', '100000');
  for await (const line of run.iterable()) if (line.includes('placed')) break;
  run.kill('SIGINT');
  expect((await run).exitCode).toBe(130);
  expect((await ownStack().status()).filter(({ pid }) => pid === undefined)).toEqual([]);
}, 180_000);

it.each([
  [['--orders', 'many'], /whole number/],
  [['--seed', '-1'], /whole number/],
  [['--nonsense'], /unknown option/],
])('refuses %j with a sentence', async (options, sentence) => {
  const { exitCode, all } = await demo(...options);
  expect([exitCode, all]).toEqual([1, expect.stringMatching(sentence)]);
});
