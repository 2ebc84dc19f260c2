import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDecimal } from './decimal.js';

describe('canonicalDecimal', () => {
  it('gives one text to a number however it is written', () => {
    const digits = fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n });
    fc.assert(
      fc.property(digits, fc.integer({ min: -30, max: 30 }), fc.nat(20), (value, exponent, zeros) => {
        const padded = `${value}${'0'.repeat(zeros)}e${exponent - zeros}`;
        expect(canonicalDecimal(padded)).toBe(canonicalDecimal(`${value}E${exponent}`));
        expect(canonicalDecimal(`${value + 1n}e${exponent}`)).not.toBe(canonicalDecimal(padded));
      }),
    );
  });
});
