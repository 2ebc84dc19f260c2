import { silentLog } from '@millrace/messaging';
import { afterEach, expect, it } from 'vitest';
import { RequestedSweeps, type RequestedSweepsOptions } from './requested-sweeps.js';

const closed = new AbortController();
const request = (id: string) => ({ id, reason: 'a test', requestedAt: new Date(0) });

let sweeps: RequestedSweeps;
afterEach(async () => {
  closed.abort();
  await sweeps.ended();
});

it('sweeps a delayed pipeline at once, and is done with a sweep after what was in the topic by then', async () => {
  const events: string[] = [];
  let end = 5n;
  let applied = 0n;
  const nothing = { all: async function* () {}, read: async () => [] };
  const pipeline = { name: 'late', delay: 1, deletes: 'apply' };
  const options = {
    pipeline,
    controls: {
      sweepDone: async (_: string, id: string) => void events.push(`${id} done`),
      setLastError: async (_: string, error: { message: string }) => void events.push(error.message),
    },
    log: silentLog,
    closed: closed.signal,
    partsOf: () => ({
      route: { pipeline, source: nothing, target: nothing, keyless: false },
      sink: {},
      caughtUp: async () => void events.push('swept'),
      pending: () => ({ of: async () => new Set(), [Symbol.asyncDispose]: async () => {} }),
    }),
    ends: async () => [{ partition: 0, low: 0n, high: end }],
    isApplied: async ([of]: { high: bigint }[]) => applied >= (of?.high ?? 0n),
    againMs: 5,
  };
  sweeps = new RequestedSweeps(options as unknown as RequestedSweepsOptions);
  const ask = (id: string) => sweeps.carryOut(request(id), new AbortController().signal);
  ask('first');
  await sweeps.ended();
  end = 9n; // came after the request
  for (let n = 0; n < 5; n++) {
    ask('first');
    await sweeps.ended();
  }
  expect(events).toEqual(['swept']);
  applied = 5n;
  ask('first');
  await sweeps.ended();
  expect(events).toEqual(['swept', 'swept', 'first done']);
  ask('second');
  await sweeps.ended();
  expect(events.slice(3)).toEqual(['swept']);
  applied = 9n;
  ask('second');
  await sweeps.ended();
  expect(events.slice(3)).toEqual(['swept', 'swept', 'second done']);
});
