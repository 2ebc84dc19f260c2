import { randomBytes } from 'node:crypto';
import { eventually, type OrderView, RunningSystem } from '@millrace/testing';
import { inject } from 'vitest';

/** What one test file has to itself: a run, whose name is in each of its SKUs and customers, and the running system. */
export class World implements AsyncDisposable {
  /** Ends in no digit and holds no character that a URL or a pattern would mind. */
  readonly run = `T${randomBytes(5).toString('hex')}`;
  #skus = 0;

  private constructor(readonly system: RunningSystem) {}

  static async open(): Promise<World> {
    return new World(await RunningSystem.open(inject('stack')));
  }

  /** A new SKU with so many pieces on hand. */
  async sku(onHand: number): Promise<string> {
    const sku = `${this.run}-SKU-${++this.#skus}`;
    await this.system.putStock(sku, onHand);
    return sku;
  }

  /** Places an order of one line for each entry: `[sku, quantity]`. */
  place(...lines: [sku: string, quantity: number][]): Promise<OrderView> {
    return this.system.place(this.request(...lines));
  }

  request(...lines: [sku: string, quantity: number][]) {
    return {
      customerId: `${this.run}-customer`,
      currency: 'EUR',
      lines: lines.map(([sku, quantity]) => ({ sku, quantity, unitPrice: '9.95' })),
    };
  }

  /** Waits until the order has the status. */
  async until(id: string, status: OrderView['status'], timeoutMs = 60_000): Promise<OrderView> {
    return eventually(`order ${id} to be ${status}`, timeoutMs, async () => {
      const order = await this.system.order(id);
      return order.status === status && order;
    });
  }

  /** Waits until the order has an answer: any status but `placed`. */
  async untilEnded(id: string, timeoutMs = 60_000): Promise<OrderView> {
    return eventually(`order ${id} to be answered`, timeoutMs, async () => {
      const order = await this.system.order(id);
      return order.status !== 'placed' && order;
    });
  }

  /** Waits until the SKU stands as described, and says how it stood when it does not come to that. */
  async untilStock(sku: string, wanted: { onHand: number; reserved: number }): Promise<void> {
    await eventually(`${sku} to have ${wanted.reserved} of ${wanted.onHand} reserved`, 60_000, async () => {
      const { onHand, reserved, available } = (await this.system.inventory.stock(sku)).body;
      if (onHand === wanted.onHand && reserved === wanted.reserved && available === onHand - reserved)
        return true;
      throw new Error(`${reserved} of ${onHand} are reserved`);
    });
  }

  /** The order's events in the log, in order, once all of `types` are there and nothing else is. */
  async untilLogged(id: string, types: string[]): Promise<void> {
    const wanted = [...types].sort().join();
    await eventually(`${wanted} of order ${id} in the log`, 60_000, async () => {
      const found = await this.system.events((key) => key === id);
      const seen = found
        .map(({ type }) => type)
        .sort()
        .join();
      if (seen === wanted) return true;
      throw new Error(`the log holds ${seen || 'nothing'}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.system[Symbol.asyncDispose]();
  }
}
