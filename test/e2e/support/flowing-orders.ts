import { checkBooks, eventually, placeAll, planOrders, readBooks } from '@millrace/testing';
import { World } from './world.js';

/**
 * Lets orders flow while something is done to the system, then waits until the books of both databases and of the log
 * agree: every order finished, nothing lost, nothing done twice.
 *
 * @param disturb begins when a quarter of the orders are placed; they go on meanwhile
 */
export async function flowWhile(disturb: () => Promise<void>, orders = 160): Promise<void> {
  await using world = await World.open();
  const plan = planOrders({ run: world.run, orders, seed: 1 });
  let begun: Promise<void> | undefined;
  await placeAll(world.system, plan, (placed) => {
    if (placed >= orders / 4) begun ??= disturb();
  });
  await begun;
  await eventually('books that agree', 120_000, async () => {
    const faults = checkBooks(await readBooks(world.system, world.run, plan.stock)).flatMap(
      (each) => each.faults,
    );
    if (faults.length === 0) return true;
    throw new Error(`${faults.length} faults: ${faults.slice(0, 5).join('; ')}`);
  });
}
