import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { canonicalText } from './canonical.js';
import { ValueFault } from './value.fault.js';

describe('canonicalText', () => {
  it.each<[string, unknown[]]>([
    [
      'kinds of number',
      [5, 5n, new Int32(5), new Double(5), Long.fromNumber(5), Decimal128.fromString('5.00')],
    ],
    ['scales', ['12.5', '12.50', '125E-1', '0.125e2'].map((text) => Decimal128.fromString(text))],
    ['zeros', [0, -0, new Double(-0), Decimal128.fromString('-0.00'), Decimal128.fromString('0E+9')]],
    ['NaNs', [Number.NaN, new Double(Number.NaN), Decimal128.fromString('NaN')]],
    ['null and missing', [null, undefined]],
    [
      'nested documents in another order',
      [
        { a: 1, b: { c: 2, d: 3 } },
        { b: { d: new Double(3), c: 2 }, a: 1 },
      ],
    ],
    [
      'UUIDs',
      [new UUID('018f3c00-0000-7000-8000-000000000001'), new UUID('018F3C00-0000-7000-8000-000000000001')],
    ],
  ])('holds %s to be equal', (_, values) => {
    expect(new Set(values.map(canonicalText)).size).toBe(1);
  });

  it('holds everything else to be different', () => {
    const bytes = Buffer.from([1, 2]);
    // biome-ignore format: a list
    const different: unknown[] = [
      null, '', '5', 5, 5.5, -5, true, false, 'b1', new Date(5), new Date(6), [], [[]], [5], ['5'], [5, 6], [6, 5],
      [null], {}, { a: 1 }, { a: '1' }, { a: 1, b: 1 }, { b: 1, a: 2 }, { constructor: 1 }, new Binary(bytes),
      new Binary(bytes, 4), new ObjectId('000000000000000000000005'), '000000000000000000000005',
      new Timestamp({ t: 5, i: 0 }), /5/, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 'NaN',
      2n ** 63n - 1n, 2n ** 63n - 2n,
      Decimal128.fromString('1234567890123456789012345678901234'),
      Decimal128.fromString('1234567890123456789012345678901235'),
    ];
    const texts = different.map(canonicalText);
    expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([]);
  });

  it('refuses a date that JavaScript could not read', () => {
    expect(() => canonicalText(new Date(Number.NaN))).toThrow(ValueFault);
  });
});
