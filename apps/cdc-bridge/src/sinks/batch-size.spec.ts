import { describe, expect, it } from 'vitest';
import { BatchSize } from './batch-size.js';

describe('BatchSize', () => {
  it('falls to single changes while batches fail, and rises to its maximum again', () => {
    const batch = new BatchSize(500);
    for (let i = 0; i < 20; i++) batch.failed();
    expect(batch.size).toBe(1);
    batch.succeeded();
    expect(batch.size).toBe(2);
    for (let i = 0; i < 40; i++) batch.succeeded();
    expect(batch.size).toBe(500);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a maximum of %d', (max) => {
    expect(() => new BatchSize(max)).toThrow(RangeError);
  });
});
