import pLimit from 'p-limit';
import { eventually } from '../eventually.js';
import type { RunningSystem } from '../running-system.js';
import type { OrderPlan, PlannedOrder } from './order.plan.js';

/** When each order was asked for, by its id: milliseconds since the epoch. */
export type AskedAt = ReadonlyMap<string, number>;

const atOnce = 16;

/** Puts the plan's stock on hand, places its orders, sixteen at a time, and cancels those that the plan cancels. */
export async function placeAll(
  system: RunningSystem,
  plan: OrderPlan,
  onPlaced: (n: number) => void,
): Promise<AskedAt> {
  for (const [sku, pieces] of plan.stock) await system.putStock(sku, pieces);

  const askedAt = new Map<string, number>();
  const limit = pLimit(atOnce);
  await limit.map([...plan.orders], async (planned) => {
    const asked = Date.now();
    const { id } = await system.place({
      customerId: planned.customerId,
      currency: 'EUR',
      lines: planned.lines,
    });
    askedAt.set(id, asked);
    onPlaced(askedAt.size);
    await cancelAsPlanned(system, planned, id);
  });
  return askedAt;
}

async function cancelAsPlanned(system: RunningSystem, { cancel }: PlannedOrder, id: string): Promise<void> {
  if (cancel === 'at-once') await system.cancel(id);
  if (cancel === 'when-confirmed') {
    const { status } = await eventually(`order ${id} to be answered`, 120_000, async () => {
      const order = await system.order(id);
      return order.status === 'placed' ? undefined : order;
    });
    if (status === 'confirmed') await system.cancel(id);
  }
}
