import { expect, it } from 'vitest';
import { percentile } from './percentile.js';

it.each([
  [[5], 0.5, 5],
  [[4, 1, 3, 2], 0.5, 2],
  [Array.from({ length: 200 }, (_, i) => i + 1), 0.99, 198],
  [[], 0.5, Number.NaN],
])('of %j at %d is %d', (values, fraction, expected) => {
  expect(percentile(values, fraction)).toBe(expected);
});
