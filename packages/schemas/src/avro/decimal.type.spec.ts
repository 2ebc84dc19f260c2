import { describe, expect, it } from 'vitest';
import { parseOwnSchema, parseSchema } from './avro-types.js';

const decimal = (precision: number, scale: number) => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  scale,
});
const money = parseSchema(decimal(18, 4));
const wide = parseSchema(decimal(38, 4));

describe('decimal', () => {
  it.each([
    ['0.0000', '00'],
    ['0.0001', '01'],
    ['-0.0001', 'ff'],
    ['0.0127', '7f'],
    ['0.0128', '0080'],
    ['-0.0128', '80'],
    ['-0.0129', 'ff7f'],
    ['12.5000', '01e848'],
    ['99999999999999.9999', '0de0b6b3a763ffff'],
    ['-99999999999999.9999', 'f21f494c589c0001'],
  ])('writes %s as the unscaled integer 0x%s, and reads it back', (text, hex) => {
    const bytes = money.toBuffer(text);
    expect(bytes.subarray(1).toString('hex')).toBe(hex);
    expect(money.fromBuffer(bytes)).toBe(text);
  });

  it.each(['9999999999999999999999999999999999.9999', '-9999999999999999999999999999999999.9999'])(
    'keeps all 38 digits of %s',
    (text) => {
      expect(wide.fromBuffer(wide.toBuffer(text))).toBe(text);
    },
  );

  it.each([
    ['5', '5.0000'],
    ['5.5', '5.5000'],
    ['-0', '0.0000'],
    ['0', '0.0000'],
  ])('reads %s as %s: exactly as many fraction digits as the scale', (written, read) => {
    expect(money.fromBuffer(money.toBuffer(written))).toBe(read);
  });

  it.each([
    ['1.23456', '"1.23456" has 5 fraction digits, more than 4'],
    ['100000000000000', 'not a decimal of at most 14 digits'],
    ['1'.repeat(1_000_000), 'not a decimal of at most 14 digits'],
    ['', 'not a decimal'],
    ['NaN', 'not a decimal'],
    ['Infinity', 'not a decimal'],
    ['1e3', 'not a decimal'],
    ['0x10', 'not a decimal'],
    ['1,5', 'not a decimal'],
    [' 1', 'not a decimal'],
    ['+1', 'not a decimal'],
    ['.5', 'not a decimal'],
    ['007', 'not a decimal'],
    ['١', 'not a decimal'],
    [1.5, 'number is not a decimal: write it as a string'],
    [15n, 'bigint is not a decimal: write it as a string'],
    [null, 'is not a decimal'],
    [['1'], 'is not a decimal'],
  ])('refuses %o', (value, message) => {
    expect(() => money.toBuffer(value)).toThrow(message);
    expect(money.isValid(value)).toBe(false);
  });

  it.each([
    ['no bytes at all', '00'],
    ['more bytes than the precision needs', `14${'01'.repeat(10)}`],
    ['one above the largest value', '100de0b6b3a7640000'],
  ])('refuses to read %s', (_, hex) => {
    expect(() => money.fromBuffer(Buffer.from(hex, 'hex'))).toThrow(/decimal/);
  });

  it('reads and writes fixed as well, filling its size', () => {
    const fixed = parseSchema({
      type: 'fixed',
      name: 'Money',
      size: 9,
      logicalType: 'decimal',
      precision: 18,
      scale: 2,
    });
    expect(fixed.toBuffer('-1.00').toString('hex')).toBe('ffffffffffffffff9c');
    expect(fixed.fromBuffer(fixed.toBuffer('-1.00'))).toBe('-1.00');
  });

  it('is read from a decimal of the same scale and no more digits, and from nothing else', () => {
    const narrow = parseSchema(decimal(10, 4));
    expect(money.fromBuffer(narrow.toBuffer('1.5'), money.createResolver(narrow))).toBe('1.5000');
    expect(() => money.createResolver(wide)).toThrow('cannot read');
    expect(() => money.createResolver(parseSchema(decimal(18, 2)))).toThrow('cannot read');
    expect(() => money.createResolver(parseSchema({ type: 'bytes' }))).toThrow('cannot read');
  });

  it.each([
    { type: 'bytes', logicalType: 'decimal' },
    { type: 'bytes', logicalType: 'decimal', precision: 0 },
    { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 },
    { type: 'bytes', logicalType: 'decimal', precision: 2.5 },
    { type: 'string', logicalType: 'decimal', precision: 2 },
    { type: 'fixed', name: 'Small', size: 1, logicalType: 'decimal', precision: 9 },
  ])('in a schema of our own has to be valid, in a foreign one is then the type beneath: %o', (schema) => {
    expect(() => parseOwnSchema(schema)).toThrow();
    expect(parseSchema(schema).typeName).toBe(schema.type);
  });
});
