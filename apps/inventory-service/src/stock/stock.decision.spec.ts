import { describe, expect, it } from 'vitest';
import { decideReservation, MAX_ON_HAND, mergeLines, moveLines, type StockLevel } from './stock.decision.js';

const level = (sku: string, onHand: number, reserved: number, version = 1n): StockLevel => ({
  sku,
  onHand,
  reserved,
  version,
});
const levels = (...all: StockLevel[]) => new Map(all.map((one) => [one.sku, one]));

describe('mergeLines', () => {
  it('adds up lines of one SKU and sorts by SKU', () => {
    const lines = [
      { sku: 'b', quantity: 1 },
      { sku: 'a', quantity: 2 },
      { sku: 'b', quantity: 3 },
    ];
    expect(mergeLines(lines)).toEqual([
      { sku: 'a', quantity: 2 },
      { sku: 'b', quantity: 4 },
    ]);
  });

  it('keeps a sum that no event can hold a shortage, however much is on hand', () => {
    const lines = mergeLines([
      { sku: 'a', quantity: 2_147_483_647 },
      { sku: 'a', quantity: 2_147_483_647 },
    ]);
    expect(lines).toEqual([{ sku: 'a', quantity: 2_147_483_647 }]);
    expect(decideReservation(lines, levels(level('a', MAX_ON_HAND, 0))).kind).toBe('reject');
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a quantity of %s by the name of its SKU', (quantity) => {
    expect(() => mergeLines([{ sku: 'a', quantity }])).toThrow(
      expect.objectContaining({ code: 'ORDER_INVALID', message: expect.stringContaining('"a"') }),
    );
  });

  it('refuses an order without lines', () => {
    expect(() => mergeLines([])).toThrow(expect.objectContaining({ code: 'ORDER_INVALID' }));
  });
});

describe('decideReservation', () => {
  it('reserves every line, down to the last piece, with the version after the change', () => {
    const decision = decideReservation(
      [
        { sku: 'a', quantity: 3 },
        { sku: 'b', quantity: 1 },
      ],
      levels(level('a', 5, 2, 7n), level('b', 1, 0, 1n)),
    );
    expect(decision).toEqual({
      kind: 'reserve',
      lines: [
        { sku: 'a', quantity: 3, stockVersion: 8n },
        { sku: 'b', quantity: 1, stockVersion: 2n },
      ],
    });
  });

  it('reserves nothing when one line is short, and names only what is short, as it was seen', () => {
    const decision = decideReservation(
      [
        { sku: 'a', quantity: 1 },
        { sku: 'b', quantity: 2 },
      ],
      levels(level('a', 5, 0, 3n), level('b', 4, 3, 9n)),
    );
    expect(decision).toEqual({
      kind: 'reject',
      shortages: [{ sku: 'b', requested: 2, available: 1, stockVersion: 9n }],
    });
  });

  it('has nothing available of an unknown SKU', () => {
    expect(decideReservation([{ sku: 'x', quantity: 1 }], levels())).toEqual({
      kind: 'reject',
      shortages: [{ sku: 'x', requested: 1, available: 0, stockVersion: 0n }],
    });
  });
});

describe('moveLines', () => {
  it('refuses to move stock that is gone', () => {
    expect(() => moveLines([{ sku: 'x', quantity: 1 }], levels())).toThrow(
      expect.objectContaining({ code: 'STOCK_CORRUPT' }),
    );
  });
});
