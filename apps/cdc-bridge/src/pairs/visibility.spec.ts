import { describe, expect, it } from 'vitest';
import { isBefore, isVisible, parseSnapshot } from './visibility.js';

it('knows an id that this server has never handed out, on both sides of an epoch’s end', () => {
  const epoch = 3n << 32n;
  expect([99n, 100n, 101n].map((id) => isBefore(id, 100n))).toEqual([true, false, false]);
  expect([0xffff_fff0n, 1n, 9n].map((id) => isBefore(id, epoch + 2n))).toEqual([true, true, false]);
});

describe('whether a transaction is visible to a snapshot', () => {
  const snapshot = parseSnapshot('100:105:101,103');

  it('takes what is over for visible, what is under way or to come for invisible', () => {
    const seen = [99n, 100n, 101n, 102n, 103n, 104n, 105n, 106n].filter((id) => isVisible(snapshot, id));
    expect(seen).toEqual([99n, 100n, 102n, 104n]);
  });

  it('finds the epoch of an id of 32 bits, on both sides of its end', () => {
    const epoch = 3n << 32n;
    const after = parseSnapshot(`${epoch + 2n}:${epoch + 5n}:${epoch + 3n}`);
    expect(isVisible(after, 0xffff_fff0n)).toBe(true);
    expect(isVisible(after, 3n)).toBe(false);
    expect(isVisible(after, 4n)).toBe(true);
    const before = parseSnapshot(`${epoch - 2n}:${epoch - 1n}:`);
    expect(isVisible(before, 1n)).toBe(false);
    expect(isVisible(before, 0xffff_fffdn)).toBe(true);
  });
});
