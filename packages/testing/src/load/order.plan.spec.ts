import { expect, it } from 'vitest';
import { planOrders } from './order.plan.js';

const plan = planOrders({ run: 'r', orders: 1_000, seed: 7 });

it('draws the same plan from the same seed, and another from another', () => {
  expect(planOrders({ run: 'r', orders: 1_000, seed: 7 })).toEqual(plan);
  expect(planOrders({ run: 'r', orders: 1_000, seed: 8 })).not.toEqual(plan);
});

it('asks for more of every SKU than there is, in orders of mixed size by many customers', () => {
  for (const [sku, pieces] of plan.stock) {
    const asked = plan.orders.flatMap((order) => order.lines).filter((line) => line.sku === sku);
    expect(asked.reduce((sum, line) => sum + line.quantity, 0)).toBeGreaterThan(pieces);
  }
  expect(new Set(plan.orders.map((order) => order.lines.length))).toEqual(new Set([1, 2, 3, 4]));
  expect(new Set(plan.orders.map((order) => order.customerId)).size).toBeGreaterThan(100);
});

it('cancels some orders at once and some when they are confirmed', () => {
  const kinds = new Set(plan.orders.map((order) => order.cancel));
  expect(kinds).toEqual(new Set(['no', 'at-once', 'when-confirmed']));
});
