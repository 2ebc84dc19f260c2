import type { BookedOrder, Books, LoggedEvent } from './books.js';
import { falseRejections } from './stock-history.check.js';

/** One statement about the books, what it was seen on, and every case that contradicts it. */
export interface Finding {
  readonly claim: string;
  readonly evidence: string;
  readonly faults: readonly string[];
}

const finished = ['confirmed', 'rejected', 'cancelled', 'expired'];
/** What each service listens to on the other's topic. */
const heardByInventory = ['OrderPlaced', 'OrderCancelled', 'OrderExpired'];
const heardByOrders = ['StockReserved', 'StockRejected', 'StockReleased'];

/** Holds the books against each other. A finding without faults is a claim that holds. */
export function checkBooks(books: Books): Finding[] {
  const emitted = distinct(books.log);
  return [
    everyOrderFinished(books.orders),
    onHandAsPut(books),
    reservedAsConfirmed(books),
    {
      claim: 'an order was rejected only where a SKU could not serve it at that moment',
      evidence: `${count(emitted, 'StockRejected')} rejections held against every SKU's history`,
      faults: falseRejections(books.put, emitted),
    },
    sameIds(
      'no event lost: what the services emitted is what the log holds',
      [...books.ledgers.orders.emitted, ...books.ledgers.inventory.emitted],
      emitted.map((record) => record.eventId),
    ),
    sameIds(
      'no effect doubled or left out: inventory handled each order event once',
      books.ledgers.inventory.handled,
      emitted.filter((record) => heardByInventory.includes(record.type)).map((record) => record.eventId),
    ),
    sameIds(
      'no effect doubled or left out: orders handled each stock event once',
      books.ledgers.orders.handled,
      emitted.filter((record) => heardByOrders.includes(record.type)).map((record) => record.eventId),
    ),
  ];
}

/** Records that stand in the log once more under another offset. Allowed: the inbox absorbs them. */
export const repeats = (log: readonly LoggedEvent[]): number => log.length - distinct(log).length;

/** How many orders ended in each status. */
export function tally(orders: readonly BookedOrder[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of orders) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function everyOrderFinished(orders: readonly BookedOrder[]): Finding {
  const counts = tally(orders);
  const open = orders.filter(({ status }) => !finished.includes(status));
  const absent = ['confirmed', 'rejected', 'cancelled'].filter((status) => !counts[status]);
  return {
    claim: 'every order finished, with some confirmed, some rejected and some cancelled',
    evidence: Object.entries(counts)
      .map(([status, n]) => `${n} ${status}`)
      .join(', '),
    faults: [
      ...open.map(({ id, status }) => `order ${id} is still ${status}`),
      ...absent.map((status) => `no order was ${status}`),
    ],
  };
}

function onHandAsPut({ put, stock }: Books): Finding {
  return {
    claim: 'on hand is what was put there',
    evidence: `${put.size} SKUs in MongoDB`,
    faults: [...put]
      .filter(([sku, pieces]) => stock.get(sku)?.onHand !== pieces)
      .map(([sku, pieces]) => `${sku}: put ${pieces}, on hand ${stock.get(sku)?.onHand ?? 'nothing'}`),
  };
}

function reservedAsConfirmed({ orders, stock }: Books): Finding {
  const confirmed = new Map<string, number>();
  for (const { sku, quantity } of orders
    .filter(({ status }) => status === 'confirmed')
    .flatMap(({ lines }) => lines)) {
    confirmed.set(sku, (confirmed.get(sku) ?? 0) + quantity);
  }
  const faults = [...stock].flatMap(([sku, { onHand, reserved }]) => {
    const sold = confirmed.get(sku) ?? 0;
    const unequal = reserved === sold ? [] : [`${sku}: reserved ${reserved}, confirmed orders hold ${sold}`];
    return reserved > onHand ? [...unequal, `${sku}: reserved ${reserved} of ${onHand}`] : unequal;
  });
  const pieces = [...confirmed.values()].reduce((sum, n) => sum + n, 0);
  return {
    claim: 'reserved (MongoDB) is the sum of confirmed lines (Postgres), never above on hand',
    evidence: `${pieces} pieces in ${stock.size} SKUs`,
    faults,
  };
}

function sameIds(claim: string, ledger: readonly string[], log: readonly string[]): Finding {
  const counts = new Map<string, number>();
  for (const id of ledger) counts.set(id, (counts.get(id) ?? 0) + 1);
  const logged = new Set(log);
  return {
    claim,
    evidence: `${counts.size} ids in the ledger, ${logged.size} in the log`,
    faults: [
      ...[...counts].filter(([, n]) => n > 1).map(([id, n]) => `${id} stands in the ledger ${n} times`),
      ...[...counts.keys()].filter((id) => !logged.has(id)).map((id) => `${id} is not in the log`),
      ...[...logged].filter((id) => !counts.has(id)).map((id) => `${id} is not in the ledger`),
    ],
  };
}

function distinct(log: readonly LoggedEvent[]): LoggedEvent[] {
  return [...new Map(log.map((record) => [record.eventId, record])).values()];
}

const count = (log: readonly LoggedEvent[], type: string): number =>
  log.filter((record) => record.type === type).length;
