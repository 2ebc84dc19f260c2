import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { column } from '../mapping/testing/column.js';
import { ValueFault } from '../values/value.fault.js';
import { KeyMapping } from './key.mapping.js';

const UUID = '0190b5a0-7b3c-7def-8123-456789abcdef';

it.each([
  { columns: [column('id', 'uuid', 1)], text: `["${UUID}"]` },
  { columns: [column('name', 'text', 1), column('id', 'uuid', 2)], text: `["a b", "${UUID}"]` },
  { columns: [column('id', 'int8', 1)], text: '["9223372036854775807"]' },
])('knows a key by the same text from both sides: $text', ({ columns, text }) => {
  const keys = new KeyMapping(columns, 'native');
  expect(keys.textOf(keys.idOf(text))).toBe(text);
});

it('refuses a key whose _id MongoDB would not take', () => {
  const columns = [column('a', 'text', 1), column('$b', 'text', 2)];
  expect(() => new KeyMapping(columns, 'native')).toThrow(/a field \$b in _id/);
});

it('takes an _id whose fields are in another order for none of the table', () => {
  const keys = new KeyMapping([column('a', 'text', 1), column('b', 'text', 2)], 'native');
  expect(keys.textOf({ a: 'x', b: 'y' })).toBe('["x", "y"]');
  expect(() => keys.textOf({ b: 'y', a: 'x' })).toThrow('stands for no key');
});

it.each([
  ['int8', null],
  ['int8', new Double(1.5)],
  ['int8', new Double(Number.NaN)],
  ['int8', Decimal128.fromString('1.5')],
  ['int8', Decimal128.fromString('9223372036854775808')],
  ['int8', new Date(5)],
  ['int8', new Binary(Buffer.alloc(16), Binary.SUBTYPE_UUID)],
  ['int8', '5'],
  ['int4', Long.fromString('2147483648')],
  ['uuid', null],
  ['uuid', UUID],
  ['uuid', 'none'],
  ['uuid', new Binary(Buffer.alloc(16))],
  ['uuid', new Binary(Buffer.alloc(3), Binary.SUBTYPE_UUID)],
  ['text', null],
  ['text', new ObjectId()],
  ['text', new Int32(5)],
  ['text', 'U+0000 \0'],
] as const)('takes for no key of type %s an _id such as %s', (type, id) => {
  const alone = new KeyMapping([column('a', type, 1)], 'native');
  expect(() => alone.textOf(id)).toThrow(ValueFault);
  const composite = new KeyMapping([column('a', type, 1), column('b', 'text', 2)], 'native');
  expect(() => composite.textOf({ a: id, b: 'x' })).toThrow(ValueFault);
});

it.each([new Int32(5), Long.fromNumber(5), new Double(5), Decimal128.fromString('5.0')])(
  'takes %o for the number that MongoDB takes it for',
  (id) => {
    expect(new KeyMapping([column('a', 'int8', 1)], 'native').textOf(id)).toBe('["5"]');
  },
);
