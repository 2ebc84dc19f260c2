import {
  type AnyEventContract,
  contracts,
  eventContract,
  OrderConfirmed,
  OrderPlaced,
  parseSchema,
  StockReserved,
} from '@millrace/schemas';
import type avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { AvroCodec, type WriterSchemas } from './avro.codec.js';
import { contractsByName, type DecodedValue } from './codec.js';
import { localSchemas } from './local-schemas.js';

const local = localSchemas(contracts);
const codec = new AvroCodec(local.schemas, local.ids);
const all = contractsByName(contracts);

const placed: OrderPlaced = {
  orderId: 'order-1',
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'sku-1', quantity: 2, unitPrice: '12.5000' }],
  total: '25.0000',
  placedAt: new Date('2026-11-21T10:00:00.123Z'),
};
const confirmed: OrderConfirmed = { orderId: 'o', customerId: 'c', confirmedAt: new Date(0) };

/** A version of a contract's record as another writer may have it. */
function writer(fields: object[], name = 'OrderConfirmed'): avsc.Type {
  return parseSchema({ type: 'record', name, namespace: 'millrace.orders', fields });
}

function framed(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

/** The codec over writers' schemas whose ids are their places in the list. */
function codecOf(...types: avsc.Type[]): AvroCodec {
  return new AvroCodec({ find: (id) => types[id] as avsc.Type });
}

function eventIn(decoded: DecodedValue | Promise<DecodedValue>): unknown {
  return decoded instanceof Promise || decoded.kind !== 'event' ? decoded : decoded.event;
}

function errorOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const at = { name: 'confirmedAt', type: { type: 'long', logicalType: 'timestamp-millis' } };
const orderId = { name: 'orderId', type: 'string' };
const customerId = { name: 'customerId', type: 'string' };

describe('encode', () => {
  it("writes Confluent's wire format", () => {
    const bytes = codec.encode(OrderConfirmed, confirmed);
    const id = contracts.indexOf(OrderConfirmed) + 1;
    expect(bytes.subarray(0, 5).toString('hex')).toBe(`0000000${id.toString(16).padStart(3, '0')}`);
    expect(OrderConfirmed.type.fromBuffer(bytes.subarray(5))).toEqual(confirmed);
  });

  it('hands out bytes that no later event changes', () => {
    const events = Array.from({ length: 500 }, (_, index) => ({ ...placed, orderId: `order-${index}` }));
    const encoded = events.map((event) => codec.encode(OrderPlaced, event));
    codec.encode(OrderPlaced, { ...placed, customerId: 'x'.repeat(15_000) });
    // @ts-expect-error an event that fails half way leaves nothing behind either
    expect(() => codec.encode(OrderPlaced, { ...placed, placedAt: 0 })).toThrow();
    for (let index = 0; index < 500; index++) codec.encode(OrderConfirmed, confirmed);
    expect(encoded.map((bytes) => eventIn(codec.decode(bytes, all)))).toEqual(events);
  });

  it.each([4_096, 16_384, 32_768, 1_000_000])('takes an event of about %d bytes', (size) => {
    for (let length = size - 70; length < size + 10; length++) {
      const event = { ...confirmed, customerId: 'x'.repeat(length) };
      expect(eventIn(codec.decode(codec.encode(OrderConfirmed, event), all))).toEqual(event);
    }
  });

  it('names every field that is wrong', () => {
    const wrong = { ...placed, lines: [{ sku: 's', quantity: 1, unitPrice: '1.23456' }], total: 'NaN' };
    const error = errorOf(() => codec.encode(OrderPlaced, wrong));
    expect(error).toMatchObject({ name: 'EncodeError', code: 'EVENT_INVALID', canRetry: false });
    expect(String(error)).toContain('millrace.orders.OrderPlaced');
    expect(String(error)).toContain('lines.0.unitPrice: "1.23456" has 5 fraction digits, more than 4');
    expect(String(error)).toContain('total: "NaN" is not a decimal');
  });

  it('refuses a number for a long, and can say so', () => {
    const wrong = {
      orderId: 'o',
      lines: [{ sku: 's', quantity: 1, stockVersion: 5 }],
      reservedAt: new Date(),
    };
    // @ts-expect-error a long is a bigint
    expect(() => codec.encode(StockReserved, wrong)).toThrow('lines.0.stockVersion');
  });

  it('a payload of another event does not compile', () => {
    // @ts-expect-error the contract decides, however much of the event fits
    expect(() => codec.encode(OrderPlaced, confirmed)).toThrow('lines');
  });

  it('refuses a contract that it has no id for', () => {
    const reader = new AvroCodec(local.schemas);
    expect(errorOf(() => reader.encode(OrderConfirmed, confirmed))).toMatchObject({
      code: 'SCHEMA_NOT_REGISTERED',
    });
  });
});

describe('decode', () => {
  it('gives the event and the contract that it was read by', () => {
    expect(codec.decode(codec.encode(OrderPlaced, placed), all)).toEqual({
      kind: 'event',
      contract: OrderPlaced,
      event: placed,
    });
  });

  it('tells a tombstone', () => {
    expect(codec.decode(null, all)).toEqual({ kind: 'tombstone' });
  });

  it.each([
    ['no bytes', '', 'MESSAGE_TOO_SHORT'],
    ['four bytes', '00000000', 'MESSAGE_TOO_SHORT'],
    ['JSON', Buffer.from('{"orderId":"1"}').toString('hex'), 'MESSAGE_MAGIC_BYTE'],
  ])('refuses %s before it looks for a schema', (_, hex, code) => {
    const asked: WriterSchemas = { find: (id) => expect.fail(`asked for schema ${id}`) };
    const error = errorOf(() => new AvroCodec(asked).decode(Buffer.from(hex, 'hex'), all));
    expect(error).toMatchObject({ name: 'MessageFormatError', code, canRetry: false });
  });

  it('refuses a body that is cut anywhere, and one with a byte too many', () => {
    const bytes = codec.encode(OrderPlaced, placed);
    const wrong = { name: 'MessageFormatError', code: 'MESSAGE_BODY', canRetry: false };
    for (let end = 5; end < bytes.length; end++) {
      expect(
        errorOf(() => codec.decode(bytes.subarray(0, end), all)),
        `cut at ${end}`,
      ).toMatchObject(wrong);
    }
    expect(errorOf(() => codec.decode(Buffer.concat([bytes, Buffer.alloc(1)]), all))).toMatchObject(wrong);
  });

  it('passes over a record that the reader has no contract for, however broken its body', () => {
    const bytes = framed(contracts.indexOf(OrderPlaced) + 1, Buffer.from('ffff', 'hex'));
    expect(codec.decode(bytes, contractsByName([OrderConfirmed]))).toEqual({
      kind: 'not-subscribed',
      name: 'millrace.orders.OrderPlaced',
    });
    expect(codecOf(parseSchema({ type: 'string' })).decode(framed(0, Buffer.alloc(1)), all)).toEqual({
      kind: 'not-subscribed',
      name: 'string',
    });
  });

  const note = { name: 'note', type: ['null', 'string'], default: null };

  it.each([
    ['first', [note, orderId, customerId, at]],
    ['last', [orderId, customerId, at, note]],
    ['with the others in another order', [at, note, customerId, orderId]],
  ])("reads a newer writer's record: a field more, %s", (_, fields) => {
    const newer = writer(fields);
    const bytes = framed(0, newer.toBuffer({ ...confirmed, note: 'new' }));
    expect(eventIn(codecOf(newer).decode(bytes, all))).toEqual(confirmed);
  });

  it("reads an older writer's record by the default of the field that it lacks", () => {
    const schema = {
      ...OrderConfirmed.schema,
      fields: [...OrderConfirmed.schema.fields, { name: 'n', type: 'long', default: 3 }],
    };
    const contract = eventContract<OrderConfirmed & { n: bigint }>({
      topic: 't',
      schema,
      key: (event) => event.orderId,
    });
    const bytes = framed(0, OrderConfirmed.type.toBuffer(confirmed));
    expect(eventIn(codecOf(OrderConfirmed.type).decode(bytes, contractsByName([contract])))).toEqual({
      ...confirmed,
      n: 3n,
    });
  });

  it("says that a writer's schema cannot be read, and tries it once only", () => {
    let built = 0;
    const type = writer([orderId, at]);
    const contract: AnyEventContract = {
      ...OrderConfirmed,
      type: Object.assign(Object.create(OrderConfirmed.type), {
        createResolver: (other: avsc.Type) => {
          built++;
          return OrderConfirmed.type.createResolver(other);
        },
      }),
    };
    const reader = codecOf(type);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(
        errorOf(() => reader.decode(framed(0, Buffer.alloc(9)), contractsByName([contract]))),
      ).toMatchObject({
        name: 'IncompatibleSchemaError',
        code: 'SCHEMA_INCOMPATIBLE',
        canRetry: false,
      });
    }
    expect(built).toBe(1);
  });

  it('is not kept busy by an array that claims 50 million items, read or left out', () => {
    const items = { name: 'unread', type: { type: 'array', items: 'null' } };
    const bytes = framed(0, Buffer.from('80c2d72f00', 'hex'));
    const hostile = codecOf(writer([items, orderId, customerId, at]));
    expect(errorOf(() => hostile.decode(bytes, all))).toMatchObject({ code: 'MESSAGE_BODY' });
  });

  it('survives a record nested deeper than the stack', () => {
    const schema = {
      type: 'record',
      name: 'Tree',
      namespace: 'a',
      fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }],
    } as const;
    const tree = eventContract<{ children: unknown[] }>({ topic: 't', schema, key: () => 'k' });
    const deep = framed(0, Buffer.alloc(1_000_000, 2));
    expect(errorOf(() => codecOf(tree.type).decode(deep, contractsByName([tree])))).toMatchObject({
      code: 'MESSAGE_BODY',
    });
  });

  it('reads random bytes as an event or refuses them, and never does anything else', () => {
    let seed = 42;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let run = 0; run < 5_000; run++) {
      const bytes = Buffer.from(codec.encode(OrderPlaced, placed));
      for (let change = 0; change < 3; change++)
        bytes[5 + Math.floor(random() * (bytes.length - 5))] = random() * 256;
      const result = errorOf(() => codec.decode(bytes, all));
      if (result instanceof Error) expect(result).toMatchObject({ code: 'MESSAGE_BODY' });
      else expect(result).toMatchObject({ kind: 'event' });
    }
  });

  it('asks for a schema once, answering at once from then on', async () => {
    let asked = 0;
    const reader = new AvroCodec({
      find: async (id) => {
        asked++;
        return local.schemas.find(id);
      },
    });
    const bytes = codec.encode(OrderConfirmed, confirmed);
    const first = reader.decode(bytes, all);
    expect(first).toBeInstanceOf(Promise);
    expect(eventIn(await first)).toEqual(confirmed);
    expect(eventIn(reader.decode(bytes, all))).toEqual(confirmed);
    expect(asked).toBe(1);
  });

  it('forgets the oldest of more writers than it remembers, and reads them all the same', () => {
    let asked = 0;
    const reader = new AvroCodec({
      find: () => {
        asked++;
        return OrderConfirmed.type;
      },
    });
    const body = OrderConfirmed.type.toBuffer(confirmed);
    for (let id = 0; id < 1_500; id++)
      expect(eventIn(reader.decode(framed(id, body), all))).toEqual(confirmed);
    for (const id of [1_499, 0]) expect(eventIn(reader.decode(framed(id, body), all))).toEqual(confirmed);
    expect(asked).toBe(1_501);
  });
});

it('two contracts of one name cannot be told apart', () => {
  expect(() => contractsByName([OrderPlaced, { ...OrderPlaced }])).toThrow('two contracts for');
});
