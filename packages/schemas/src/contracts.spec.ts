import { describe, expect, it } from 'vitest';
import {
  type AnyEventContract,
  contracts,
  explainInvalid,
  OrderCancelled,
  OrderConfirmed,
  OrderExpired,
  OrderPlaced,
  OrderRejected,
  StockRejected,
  StockReleased,
  StockReserved,
  topics,
} from './index.js';

const at = new Date('2026-11-21T10:00:00.123Z');
const MAX_LONG = 2n ** 63n - 1n;

const placed: OrderPlaced = {
  orderId: 'order-1',
  customerId: "Robert'); DROP TABLE orders;-- \u0000 \u202e 🛒",
  currency: 'EUR',
  lines: [
    { sku: '__proto__', quantity: 2_147_483_647, unitPrice: '99999999999999.9999' },
    { sku: '', quantity: -1, unitPrice: '-0.0001' },
  ],
  total: '-9999999999999999999999999999999999.9999',
  placedAt: at,
};

const samples: [AnyEventContract, object][] = [
  [OrderPlaced, placed],
  [OrderConfirmed, { orderId: 'o', customerId: 'c', confirmedAt: at } satisfies OrderConfirmed],
  [
    OrderRejected,
    { orderId: 'o', customerId: 'c', reason: 'r'.repeat(5_000), rejectedAt: at } satisfies OrderRejected,
  ],
  [OrderCancelled, { orderId: 'o', customerId: 'c', cancelledAt: at } satisfies OrderCancelled],
  [OrderExpired, { orderId: 'o', customerId: 'c', expiredAt: at } satisfies OrderExpired],
  [
    StockReserved,
    {
      orderId: 'o',
      lines: [{ sku: 's', quantity: 1, stockVersion: MAX_LONG }],
      reservedAt: at,
    } satisfies StockReserved,
  ],
  [
    StockRejected,
    {
      orderId: 'o',
      shortages: [{ sku: 's', requested: 2, available: 1, stockVersion: 0n }],
      rejectedAt: at,
    } satisfies StockRejected,
  ],
  [
    StockReleased,
    {
      orderId: 'o',
      lines: [{ sku: 's', quantity: 1, stockVersion: -MAX_LONG }],
      releasedAt: at,
    } satisfies StockReleased,
  ],
];

describe('contracts', () => {
  it.each(samples)('$name comes back as it was written', ({ type }, event) => {
    expect(type.fromBuffer(type.toBuffer(event))).toEqual(event);
  });

  it('are all listed, each with a sample here, on a declared topic', () => {
    expect(samples.map(([contract]) => contract)).toEqual(contracts);
    const declared = topics.map((topic) => topic.name);
    for (const { topic } of contracts) expect(declared).toContain(topic);
  });

  it('have the subject and the key that everyone agreed on', () => {
    expect(OrderPlaced.subject).toBe('order.events-millrace.orders.OrderPlaced');
    expect(StockReserved.subject).toBe('inventory.events-millrace.inventory.StockReserved');
    expect(OrderPlaced.key(placed)).toBe('order-1');
  });

  it('say of a wrong event which fields are wrong, and why', () => {
    const wrong = {
      ...placed,
      customerId: undefined,
      lines: [{ sku: 's', quantity: 1.5, unitPrice: '1.23456' }],
      total: 12,
      placedAt: '2026-11-21',
    };
    expect(explainInvalid(OrderPlaced.type, wrong)).toEqual([
      'customerId: undefined is not string',
      'lines.0.quantity: 1.5 is not int',
      'lines.0.unitPrice: "1.23456" has 5 fraction digits, more than 4',
      'total: number is not a decimal: write it as a string',
      'placedAt: string is not a timestamp: write it as a Date',
    ]);
    expect(explainInvalid(OrderPlaced.type, null)).toEqual(['the event: null is not record']);
    const longs = { orderId: 'o', lines: [{ sku: 's', quantity: 1, stockVersion: 1 }], reservedAt: at };
    expect(explainInvalid(StockReserved.type, longs)).toEqual([
      'lines.0.stockVersion: 1 is not bigint within 64 bits',
    ]);
    expect(explainInvalid(OrderPlaced.type, placed)).toEqual([]);
  });
});
