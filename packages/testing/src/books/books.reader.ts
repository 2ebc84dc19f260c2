import type { ReservationLedger, RunningSystem } from '../running-system.js';
import type { BookedOrder, Books, Ledger } from './books.js';

/** Reads what both databases and the log say of one run: orders by their customers, stock by SKU. */
export async function readBooks(
  system: RunningSystem,
  run: string,
  put: ReadonlyMap<string, number>,
): Promise<Books> {
  const orders = await bookedOrders(system, run);
  const ids = new Set(orders.map(({ id }) => id));
  const [stock, fromOrders, fromInventory, log] = await Promise.all([
    bookedStock(system, [...put.keys()]),
    ordersLedger(system, run),
    inventoryLedger(system, [...ids]),
    system.events((key) => ids.has(key)),
  ]);
  return { put, orders, stock, ledgers: { orders: fromOrders, inventory: fromInventory }, log };
}

/** Milliseconds from each order's request to the moment its confirmation was written. */
export async function confirmationTimes(
  system: RunningSystem,
  run: string,
  askedAt: ReadonlyMap<string, number>,
) {
  const { rows } = await system.postgres.query<{ id: string; at: Date }>(
    `select h.order_id as id, h.at from order_history h join orders o on o.id = h.order_id
      where o.customer_id like $1 || '-%' and not h.handled and h.status = 'confirmed'`,
    [run],
  );
  return rows.flatMap(({ id, at }) => {
    const asked = askedAt.get(id);
    return asked === undefined ? [] : [at.getTime() - asked];
  });
}

async function bookedOrders(system: RunningSystem, run: string): Promise<BookedOrder[]> {
  const { rows } = await system.postgres.query<BookedOrder>(
    `select o.id, o.status, json_agg(json_build_object('sku', l.sku, 'quantity', l.quantity)) as lines
       from orders o join order_lines l on l.order_id = o.id
      where o.customer_id like $1 || '-%' group by o.id`,
    [run],
  );
  return rows;
}

async function bookedStock(system: RunningSystem, skus: string[]): Promise<Books['stock']> {
  const found = await system.documents
    .collection<{ _id: string; onHand: number; reserved: number; version: bigint | number }>('stock')
    .find({ _id: { $in: skus } })
    .toArray();
  return new Map(
    found.map(({ _id, onHand, reserved, version }) => [_id, { onHand, reserved, version: BigInt(version) }]),
  );
}

async function ordersLedger(system: RunningSystem, run: string): Promise<Ledger> {
  const { rows } = await system.postgres.query<{ id: string; handled: boolean }>(
    `select h.event_id as id, h.handled from order_history h join orders o on o.id = h.order_id
      where o.customer_id like $1 || '-%'`,
    [run],
  );
  return ledger(rows, (row) => row.handled);
}

async function inventoryLedger(system: RunningSystem, orderIds: string[]): Promise<Ledger> {
  const reservations = await system.documents
    .collection<ReservationLedger>('reservations')
    .find({ _id: { $in: orderIds } })
    .toArray();
  const entries = reservations.flatMap(({ events }) => events);
  return ledger(
    entries.map(({ eventId, direction }) => ({ id: eventId, direction })),
    ({ direction }) => direction === 'in',
  );
}

function ledger<E extends { id: string }>(entries: readonly E[], handled: (entry: E) => boolean): Ledger {
  const ids = (list: readonly E[]) => list.map(({ id }) => id);
  return { emitted: ids(entries.filter((entry) => !handled(entry))), handled: ids(entries.filter(handled)) };
}
