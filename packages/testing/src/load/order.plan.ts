import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** One order that the demo will place, and what it will do with it afterwards. */
export interface PlannedOrder {
  readonly customerId: string;
  readonly lines: readonly { sku: string; quantity: number; unitPrice: string }[];
  /** `at-once`: cancelled right after it was placed. `when-confirmed`: cancelled after it was confirmed. */
  readonly cancel: 'no' | 'at-once' | 'when-confirmed';
}

export interface OrderPlan {
  /** Pieces on hand by SKU: fewer than the orders ask for. */
  readonly stock: ReadonlyMap<string, number>;
  readonly orders: readonly PlannedOrder[];
}

export interface PlanOptions {
  /** Ends up in every SKU and customer id, so that a run counts its own only. */
  readonly run: string;
  readonly orders: number;
  readonly seed: number;
}

const skus = 12;
const customers = 250;

/**
 * Draws a demo's orders: one to four lines of one to five pieces each, from customers that come back,
 * against stock for about two thirds of what they ask. The same seed gives the same plan.
 */
export function planOrders({ run, orders, seed }: PlanOptions): OrderPlan {
  const random = xoroshiro128plus(seed);
  const upTo = (n: number) => uniformInt(random, 1, n);
  const sku = (n: number) => `${run}-SKU-${String(n).padStart(2, '0')}`;

  const planned = Array.from({ length: orders }, (): PlannedOrder => {
    const wanted = new Set(Array.from({ length: upTo(4) }, () => upTo(skus)));
    const dice = upTo(100);
    return {
      customerId: `${run}-customer-${upTo(customers)}`,
      lines: [...wanted].map((n) => ({
        sku: sku(n),
        quantity: upTo(5),
        unitPrice: `${upTo(90)}.${upTo(9)}5`,
      })),
      cancel: dice <= 4 ? 'at-once' : dice <= 8 ? 'when-confirmed' : 'no',
    };
  });

  const asked = new Map<string, number>();
  for (const line of planned.flatMap((order) => order.lines)) {
    asked.set(line.sku, (asked.get(line.sku) ?? 0) + line.quantity);
  }
  const stock = new Map([...asked].sort().map(([name, pieces]) => [name, Math.floor((pieces * 2) / 3)]));
  return { stock, orders: planned };
}
