import { expect, it } from 'vitest';
import { KeyWaits } from './key-waits.js';

const never = new AbortController().signal;

/** What a wait has come to, without waiting for it. */
async function outcome(wait: Promise<void>): Promise<unknown> {
  return await Promise.race([
    wait.then(
      () => 'settled',
      (error: unknown) => error,
    ),
    new Promise((resolve) => setImmediate(() => resolve('open'))),
  ]);
}

it('waits for every key, and for each of those who wait for one', async () => {
  const waits = new KeyWaits();
  const [both, one] = [waits.of(['a', 'b'], never), waits.of(['b'], never)];
  waits.settle('b');
  expect([await outcome(both), await outcome(one)]).toEqual(['open', 'settled']);
  waits.settle('a');
  expect(await outcome(both)).toBe('settled');
});

it('does not count what was settled before anyone waited', async () => {
  const waits = new KeyWaits();
  waits.settle('a');
  expect(await outcome(waits.of(['a'], never))).toBe('open');
});

it('has nothing to wait for without keys', async () => {
  expect(await outcome(new KeyWaits().of([], never))).toBe('settled');
});

it('ends at the signal alone whoever gave it', async () => {
  const waits = new KeyWaits();
  const stop = new AbortController();
  const [mine, other] = [waits.of(['a'], stop.signal), waits.of(['a'], never)];
  const reason = new Error('no longer mine');
  stop.abort(reason);
  expect([await outcome(mine), await outcome(other)]).toEqual([reason, 'open']);
  await expect(waits.of(['a'], stop.signal)).rejects.toBe(reason);
  waits.settle('a');
  expect(await outcome(other)).toBe('settled');
});

it('tells everybody when nobody looks any more', async () => {
  const waits = new KeyWaits();
  const all = [waits.of(['a'], never), waits.of(['b', 'c'], never)];
  const reason = new Error('stopped');
  waits.fail(reason);
  expect(await Promise.all(all.map(outcome))).toEqual([reason, reason]);
});
