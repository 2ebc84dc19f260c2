import { expect, it } from 'vitest';
import { compare, type Side } from './compare.ts';

/** A machine whose clock moves by what its sides cost, and which grows slower all the time. */
function machine() {
  let now = 0;
  let slowness = 1;
  const order: string[] = [];
  const side = (name: string, milliseconds: number): Side => ({
    name,
    run(times) {
      order.push(name);
      slowness *= 1.01;
      now += times * milliseconds * slowness;
    },
  });
  let runs = 0;
  /** Every third time. */
  const stall = () => ++runs % 3 === 0;
  return { now: () => now, order, side, stall };
}

it('gives the ratio of two sides on a machine whose speed changes', async () => {
  const { now, side } = machine();
  const result = await compare(side('fast', 0.01), side('slow', 0.05), {
    rounds: 40,
    batches: 3,
    batchMs: 10,
    now,
  });
  expect(result.ratio.median).toBeCloseTo(5, 0);
  expect(result.ratio.low).toBeLessThanOrEqual(result.ratio.median);
  expect(result.ratio.high).toBeGreaterThanOrEqual(result.ratio.median);
  expect(result.rate / result.baselineRate).toBeCloseTo(5, 0);
});

it('does not see a batch that was cut short by something else', async () => {
  const { now, side, stall } = machine();
  const subject = side('a', 0.01);
  const stalled: Side = {
    name: 'often stalled',
    run(times) {
      if (stall()) subject.run(100 * times);
      subject.run(times);
    },
  };
  const result = await compare(stalled, side('b', 0.01), { rounds: 40, batches: 5, batchMs: 10, now });
  expect(result.ratio.median).toBeCloseTo(1, 0);
});

it('runs the sides in turns, each first as often as the other', async () => {
  const { now, order, side } = machine();
  await compare(side('a', 1), side('b', 1), { rounds: 2, batches: 2, batchMs: 1, now });
  expect(order.slice(-8).join('')).toBe('abbabaab');
});
