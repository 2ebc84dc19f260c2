import { expect, expectTypeOf, it } from 'vitest';
import {
  type EventContract,
  type EventOf,
  OrderConfirmed,
  OrderExpired,
  OrderPlaced,
  StockReserved,
} from './index.js';

/** As every function does that takes an event with its contract: the contract alone says what the event has to be. */
function write<T>(contract: EventContract<T>, event: NoInfer<T>): Buffer {
  return contract.type.toBuffer(event);
}

const at = new Date();
const line = { sku: 's', quantity: 1, unitPrice: '1.0000' };
const placed: OrderPlaced = {
  orderId: 'o',
  customerId: 'c',
  currency: 'EUR',
  lines: [line],
  total: '1',
  placedAt: at,
};

it('a right payload compiles', () => {
  write(OrderPlaced, placed);
  write(StockReserved, {
    orderId: 'o',
    lines: [{ sku: 's', quantity: 1, stockVersion: 1n }],
    reservedAt: at,
  });
});

it('a wrong payload does not compile, nor can it be written', () => {
  const { total: _, ...incomplete } = placed;
  // @ts-expect-error a field is missing
  expect(() => write(OrderPlaced, incomplete)).toThrow();
  // @ts-expect-error a decimal is a string
  expect(() => write(OrderPlaced, { ...placed, total: 12.5 })).toThrow();
  // @ts-expect-error a timestamp is a Date
  expect(() => write(OrderPlaced, { ...placed, placedAt: 1_700_000_000_000 })).toThrow();
  const numbered = { sku: 's', quantity: 1, stockVersion: 1 };
  // @ts-expect-error a long is a bigint
  expect(() => write(StockReserved, { orderId: 'o', lines: [numbered], reservedAt: at })).toThrow();
  // @ts-expect-error another event
  expect(() => write(OrderConfirmed, placed)).toThrow();
});

it('an event does not change', () => {
  const change = (event: OrderPlaced) => {
    // @ts-expect-error events are facts
    event.total = '2';
    // @ts-expect-error down to their lines
    event.lines.push(line);
  };
  expectTypeOf(change).toBeFunction();
});

it('a contract stands for its own event only, however alike another one is', () => {
  expectTypeOf<EventOf<typeof OrderPlaced>>().toEqualTypeOf<OrderPlaced>();
  // @ts-expect-error the same fields but one
  const other: EventContract<OrderConfirmed> = OrderExpired;
  // @ts-expect-error fewer fields
  const wider: EventContract<{ orderId: string }> = OrderPlaced;
  expect([other, wider]).toEqual([OrderExpired, OrderPlaced]);
});
