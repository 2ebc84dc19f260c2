import { expect, test } from 'vitest';
import { backoffMs } from './backoff.js';

const backoff = { firstMs: 100, maxMs: 5_000 };

test('doubles up to its bound', () => {
  const pauses = [1, 2, 3, 6, 7, 1_000].map((attempt) => backoffMs(backoff, attempt, () => 0));
  expect(pauses).toEqual([100, 200, 400, 3_200, 5_000, 5_000]);
});

test('is up to a quarter shorter by chance', () => {
  expect(backoffMs(backoff, 7, () => 0.9999)).toBe(3_750);
});
