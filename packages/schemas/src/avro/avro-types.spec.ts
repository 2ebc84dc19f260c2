import { describe, expect, it } from 'vitest';
import type { AvroSchema } from '../record-schema.js';
import { parseSchema } from './avro-types.js';

const record = (...fields: [name: string, type: AvroSchema][]) => ({
  type: 'record',
  name: 'Thing',
  fields: fields.map(([name, type]) => ({ name, type })),
});
const bytes = (...parts: number[]) => Buffer.from(parts);
/** 50,000,000, then the end of the array: what five bytes can claim. */
const FIFTY_MILLION = [0x80, 0xc2, 0xd7, 0x2f, 0];

describe('long', () => {
  it.each([0n, -1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)])('%d is exact', (value) => {
    const type = parseSchema({ type: 'long' });
    expect(type.fromBuffer(type.toBuffer(value))).toBe(value);
  });

  it.each([1, '1', 2n ** 63n, -(2n ** 63n) - 1n, NaN, null])('refuses %o', (value) => {
    expect(parseSchema({ type: 'long' }).isValid(value)).toBe(false);
  });

  it('is bigint wherever it stands, and whatever logical type that we do not know it has', () => {
    const micros = { type: 'long', logicalType: 'timestamp-micros' };
    const type = parseSchema(
      record(['a', { type: 'array', items: 'long' }], ['b', ['null', 'long']], ['c', micros]),
    );
    const value = { a: [2n ** 60n], b: 2n ** 61n, c: 2n ** 62n };
    expect(type.fromBuffer(type.toBuffer(value))).toEqual(value);
  });

  it('is read from an int', () => {
    const long = parseSchema({ type: 'long' });
    const int = parseSchema({ type: 'int' });
    expect(long.fromBuffer(int.toBuffer(-7), long.createResolver(int))).toBe(-7n);
  });

  it('keeps a default', () => {
    const type = parseSchema({
      type: 'record',
      name: 'R',
      fields: [{ name: 'n', type: 'long', default: 7 }],
    });
    expect(type.fromBuffer(type.toBuffer({}))).toEqual({ n: 7n });
    expect(JSON.parse(JSON.stringify(type))).toMatchObject({ fields: [{ default: 7 }] });
  });
});

describe('timestamp-millis', () => {
  const type = parseSchema({ type: 'long', logicalType: 'timestamp-millis' });

  it.each([0, -1, 1_700_000_000_123, 2 ** 52 - 1, 1 - 2 ** 52])('%d ms is a Date', (milliseconds) => {
    expect(type.fromBuffer(type.toBuffer(new Date(milliseconds)))).toEqual(new Date(milliseconds));
  });

  it.each([new Date(NaN), new Date(2 ** 52), new Date(-8.64e15), 5, '2026-01-01', null])(
    'refuses %o',
    (value) => {
      expect(type.isValid(value)).toBe(false);
    },
  );

  it.each([2n ** 52n, -(2n ** 52n), 2n ** 53n, 2n ** 63n - 1n])(
    'refuses to read %d, which is not exact',
    (value) => {
      expect(() => type.fromBuffer(parseSchema({ type: 'long' }).toBuffer(value))).toThrow(
        /beyond|precision/,
      );
    },
  );

  it('is not read from microseconds, which avsc could not tell from milliseconds', () => {
    const micros = parseSchema({ type: 'long', logicalType: 'timestamp-micros' });
    expect(() => type.createResolver(micros)).toThrow('cannot read');
  });
});

describe('hostile bytes', () => {
  it('an array cannot claim more items than there are bytes', () => {
    for (const items of ['null', 'string', 'int', record(['n', 'null'])]) {
      const type = parseSchema({ type: 'array', items });
      expect(() => type.fromBuffer(bytes(...FIFTY_MILLION))).toThrow('claims 50000000 items');
    }
  });

  it('an array cannot hold items that take no bytes, in however many blocks', () => {
    const type = parseSchema({ type: 'array', items: 'null' });
    const blocks = Buffer.concat([...Array.from({ length: 1_000 }, () => bytes(0x80, 0x08)), bytes(0)]);
    expect(() => type.fromBuffer(blocks)).toThrow('take no bytes');
  });

  it('a map cannot claim more entries than there are bytes', () => {
    expect(() => parseSchema({ type: 'map', values: 'null' }).fromBuffer(bytes(...FIFTY_MILLION))).toThrow(
      'claims',
    );
  });

  it.each(['array', 'map'])('an %s that the reader leaves out is skipped as carefully', (kind) => {
    const reader = parseSchema(record(['last', 'int']));
    const writer = parseSchema(
      record(['unread', { type: kind, items: 'null', values: 'null' }], ['last', 'int']),
    );
    const resolver = reader.createResolver(writer);
    expect(() => reader.fromBuffer(bytes(...FIFTY_MILLION, 2), resolver)).toThrow('claims');
    // A block of -1 items whose size, -2 bytes, leads back to its own beginning.
    expect(() => reader.fromBuffer(bytes(1, 3, 0, 2), resolver)).toThrow('truncated');
    // The same block with an honest size is passed over.
    const honest = kind === 'array' ? [1, 0, 0, 2] : [1, 4, 2, 97, 0, 2];
    expect(reader.fromBuffer(bytes(...honest), resolver)).toEqual({ last: 1 });
  });

  it('an array in blocks, with or without their sizes, is read as one', () => {
    const type = parseSchema({ type: 'array', items: 'int' });
    expect(type.fromBuffer(bytes(4, 2, 4, 3, 4, 6, 8, 0))).toEqual([1, 2, 3, 4]);
  });

  it('a long array is read whole', () => {
    const type = parseSchema({ type: 'array', items: 'int' });
    const value = Array.from({ length: 5_000 }, (_, index) => index);
    expect(type.fromBuffer(type.toBuffer(value))).toEqual(value);
  });

  it('keeps a map key named __proto__, and the prototype of nothing changes', () => {
    const type = parseSchema({ type: 'map', values: { type: 'map', values: 'string' } });
    const value = JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": {}, "plain": {}}');
    const read: Record<string, unknown> = type.fromBuffer(type.toBuffer(value));
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor', 'plain']);
    expect(JSON.stringify(read)).toBe('{"__proto__":{"polluted":"yes"},"constructor":{},"plain":{}}');
    expect(read.polluted).toBeUndefined();
    expect(Object.getPrototypeOf({}).polluted).toBeUndefined();
  });

  it('names of which a part begins with a digit are read, as Kafka Connect writes them of such a table', () => {
    const row = { type: 'record', name: 'Value', fields: [{ name: 'n', type: 'int' }] };
    const type = parseSchema({
      type: 'record',
      name: '1st.public.2024_sales.Envelope',
      fields: [
        { name: 'before', type: ['null', { ...row, namespace: '1st.public.2024_sales' }] },
        { name: 'after', type: ['null', '1st.public.2024_sales.Value'] },
        { name: 'again', type: ['null', 'Value'] },
      ],
    });
    const value = { before: { n: 1 }, after: { n: 2 }, again: null };
    expect(type.fromBuffer(type.toBuffer(value))).toEqual(value);
  });

  it('an int of more than 32 bits is refused', () => {
    expect(() => parseSchema({ type: 'int' }).fromBuffer(bytes(0x80, 0x80, 0x80, 0x80, 0x80, 0x01))).toThrow(
      '32-bit',
    );
    expect(() => parseSchema({ type: 'int' }).fromBuffer(Buffer.alloc(400, 0xff))).toThrow('32-bit');
  });

  it('a string that UTF-8 cannot hold is refused, not replaced', () => {
    const type = parseSchema({ type: 'string' });
    for (const half of ['\ud83d', `a\ude00b`, `${'x'.repeat(100)}\ud83d`]) {
      expect(() => type.toBuffer(half)).toThrow('surrogate');
      expect(type.isValid(half)).toBe(false);
    }
    expect(type.fromBuffer(type.toBuffer('\ud83d\ude00\u0000\uffff'))).toBe('😀\u0000\uffff');
  });

  it('a truncated body is an error in every place it can end', () => {
    const money = { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 };
    const type = parseSchema(
      record(
        ['s', 'string'],
        ['d', money],
        ['l', 'long'],
        ['a', { type: 'array', items: 'int' }],
        [
          'm',
          {
            type: 'map',
            values: 'int',
          },
        ],
      ),
    );
    const whole = type.toBuffer({ s: 'text', d: '1.5', l: 2n ** 60n, a: [1, 2], m: { k: 1 } });
    for (let end = 0; end < whole.length; end++) {
      expect(() => type.fromBuffer(whole.subarray(0, end)), `cut at ${end}`).toThrow();
    }
  });

  it('a schema can be parsed twice, though avsc writes its named types into the options', () => {
    expect(parseSchema(record(['n', 'int'])).name).toBe('Thing');
    expect(parseSchema(JSON.stringify(record(['n', 'int']))).name).toBe('Thing');
  });

  it.each(['{', '{"type":"nope"}', 'null', '{"type":"record","name":"a b","fields":[]}'])(
    'refuses %s',
    (text) => {
      expect(() => parseSchema(text)).toThrow();
    },
  );
});
