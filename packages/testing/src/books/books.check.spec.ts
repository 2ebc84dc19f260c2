import { describe, expect, it } from 'vitest';
import { checkBooks, repeats } from './books.check.js';
import type { Books, LoggedEvent } from './books.js';

let offset = 0n;
const logged = (eventId: string, type: string, key: string, event: unknown = {}): LoggedEvent => ({
  topic: type.startsWith('Stock') ? 'inventory.events' : 'order.events',
  partition: 0,
  offset: offset++,
  eventId,
  type,
  key,
  headers: {},
  at: new Date(0),
  event,
});
const line = (quantity: number, stockVersion: bigint) => ({ sku: 'A', quantity, stockVersion });

/** Three orders for ten pieces of A: one is confirmed, one rejected, one confirmed and then cancelled. */
function soundBooks(): Books {
  return {
    put: new Map([['A', 10]]),
    orders: [
      { id: 'o1', status: 'confirmed', lines: [{ sku: 'A', quantity: 6 }] },
      { id: 'o2', status: 'rejected', lines: [{ sku: 'A', quantity: 5 }] },
      { id: 'o3', status: 'cancelled', lines: [{ sku: 'A', quantity: 1 }] },
    ],
    stock: new Map([['A', { onHand: 10, reserved: 6, version: 4n }]]),
    ledgers: {
      orders: { emitted: ['p1', 'p2', 'p3', 'c1', 'c2', 'c3', 'x3'], handled: ['r1', 'r2', 'r3', 'f3'] },
      inventory: { emitted: ['r1', 'r2', 'r3', 'f3'], handled: ['p1', 'p2', 'p3', 'x3'] },
    },
    log: [
      ...['p1', 'p2', 'p3'].map((id) => logged(id, 'OrderPlaced', `o${id[1]}`)),
      logged('r1', 'StockReserved', 'o1', { orderId: 'o1', lines: [line(6, 2n)] }),
      logged('r3', 'StockReserved', 'o3', { orderId: 'o3', lines: [line(1, 3n)] }),
      logged('r2', 'StockRejected', 'o2', {
        orderId: 'o2',
        shortages: [{ sku: 'A', requested: 5, available: 3, stockVersion: 3n }],
      }),
      logged('c1', 'OrderConfirmed', 'o1'),
      logged('c2', 'OrderRejected', 'o2'),
      logged('c3', 'OrderConfirmed', 'o3'),
      logged('x3', 'OrderCancelled', 'o3'),
      logged('f3', 'StockReleased', 'o3', { orderId: 'o3', lines: [line(1, 4n)] }),
    ],
  };
}

const faults = (books: Books) => checkBooks(books).flatMap((finding) => finding.faults);
const replaced = (books: Books, eventId: string, event: unknown): Books => ({
  ...books,
  log: books.log.map((record) => (record.eventId === eventId ? { ...record, event } : record)),
});

describe('checkBooks', () => {
  it('finds nothing in sound books', () => {
    expect(faults(soundBooks())).toEqual([]);
  });

  it('counts a repeat in the log and does not mind it', () => {
    const books = soundBooks();
    const twice = { ...books, log: [...books.log, { ...(books.log[0] as LoggedEvent), offset: 99n }] };
    expect(faults(twice)).toEqual([]);
    expect(repeats(twice.log)).toBe(1);
  });

  it.each<[string, (books: Books) => Books, RegExp]>([
    [
      'an open order',
      (b) => ({ ...b, orders: [...b.orders, { id: 'o4', status: 'placed', lines: [] }] }),
      /o4 is still placed/,
    ],
    ['no cancelled order', (b) => ({ ...b, orders: b.orders.slice(0, 2) }), /no order was cancelled/],
    ['stock that went missing', (b) => ({ ...b, put: new Map([['A', 11]]) }), /put 11, on hand 10/],
    ['a lost event', (b) => ({ ...b, log: b.log.filter((r) => r.eventId !== 'c1') }), /c1 is not in the log/],
    [
      'an event that no service emitted',
      (b) => ({ ...b, log: [...b.log, logged('z', 'OrderConfirmed', 'o1')] }),
      /z is not in the ledger/,
    ],
    [
      'a doubled effect',
      (b) => ({
        ...b,
        ledgers: { ...b.ledgers, orders: { ...b.ledgers.orders, handled: ['r1', 'r1', 'r2', 'r3', 'f3'] } },
      }),
      /r1 stands in the ledger 2 times/,
    ],
    [
      'an event that was not handled',
      (b) => ({
        ...b,
        ledgers: { ...b.ledgers, inventory: { ...b.ledgers.inventory, handled: ['p1', 'p2', 'p3'] } },
      }),
      /x3 is not in the ledger/,
    ],
    [
      'a reservation without a confirmed order',
      (b) => ({ ...b, stock: new Map([['A', { onHand: 10, reserved: 7, version: 4n }]]) }),
      /reserved 7, confirmed orders hold 6/,
    ],
    [
      'more reserved than on hand',
      (b) => ({ ...b, stock: new Map([['A', { onHand: 10, reserved: 11, version: 4n }]]) }),
      /reserved 11 of 10/,
    ],
    [
      'a rejection that could have been served',
      (b) =>
        replaced(b, 'r2', {
          orderId: 'o2',
          shortages: [{ sku: 'A', requested: 3, available: 3, stockVersion: 3n }],
        }),
      /could have served 3 of 3/,
    ],
    [
      'a rejection that tells a wrong number',
      (b) =>
        replaced(b, 'r2', {
          orderId: 'o2',
          shortages: [{ sku: 'A', requested: 5, available: 2, stockVersion: 3n }],
        }),
      /had 3 available, the event says 2/,
    ],
    [
      'a rejection without a reason',
      (b) => replaced(b, 'r2', { orderId: 'o2', shortages: [] }),
      /without a shortage/,
    ],
    [
      'a gap in a history',
      (b) => replaced(b, 'f3', { orderId: 'o3', lines: [line(1, 5n)] }),
      /version 5 follows 3/,
    ],
    ['stock below zero', (b) => replaced(b, 'r1', { orderId: 'o1', lines: [line(11, 2n)] }), /-1 available/],
  ])('notices %s', (_, change, expected) => {
    expect(faults(change(soundBooks()))).toContainEqual(expect.stringMatching(expected));
  });
});
