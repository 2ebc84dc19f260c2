import { describe, expect, test } from 'vitest';
import { fromUnits, PRICE_PATTERN, toUnits } from './money.js';

describe('money', () => {
  test.each([
    ['0', '0.0000'],
    ['0.0001', '0.0001'],
    ['12.5', '12.5000'],
    ['99999999999999.9999', '99999999999999.9999'],
  ])('%s reads back as %s', (given, expected) => {
    expect(fromUnits(toUnits(given))).toBe(expected);
  });

  test('a sum beyond what a double can hold keeps every digit', () => {
    expect(fromUnits(toUnits('99999999999999.9999') * 1_000_000n)).toBe('99999999999999999900.0000');
  });

  test.each(['-1', '+1', '1e3', '.5', '1.', '01', '1.00001', '100000000000000', '1,5', ' 1', 'NaN', ''])(
    '%j is not a price',
    (text) => {
      expect(PRICE_PATTERN.test(text)).toBe(false);
    },
  );
});
