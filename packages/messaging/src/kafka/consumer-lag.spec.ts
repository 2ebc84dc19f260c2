import { expect, test } from 'vitest';
import { standing } from './consumer-lag.js';

test('a partition stands still from when it has lag and does not move', () => {
  const idle = standing(undefined, 5n, 5n, 1_000);
  expect(idle).toEqual({ position: 5n, lag: 0n, stoodSince: 1_000 });
  const behind = standing(idle, 5n, 9n, 2_000);
  expect(behind).toEqual({ position: 5n, lag: 4n, stoodSince: 2_000 });
  const still = standing(behind, 5n, 12n, 3_000);
  expect(still).toEqual({ position: 5n, lag: 7n, stoodSince: 2_000 });
  expect(standing(still, 6n, 12n, 4_000).stoodSince).toBe(4_000);
});

test('a position past the end that was asked before is no lag', () => {
  expect(standing(undefined, 9n, 5n, 0).lag).toBe(0n);
});
