import { CONFIG } from '@millrace/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { OrderServiceConfig } from '../config.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { isFinal } from './order.state.js';
import type { HistoryEntry } from './order-history.js';
import { tooManyStreams } from './order-problems.js';
import { OrderStatusListener } from './order-status.listener.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';
import { Wake } from './wake.js';

/** How long a stream stays silent. It also asks for changes then, whether it heard of any or not. */
const KEEP_ALIVE_MS = 15_000;

/** The statuses of orders as they change, each stream for one client. */
@Injectable()
export class OrderStreams {
  #open = 0;

  constructor(
    private readonly listener: OrderStatusListener,
    private readonly repository: OrdersRepository,
    private readonly orders: OrdersService,
    @Inject(CONFIG) private readonly config: Pick<OrderServiceConfig, 'ORDER_STREAMS_MAX'>,
  ) {}

  /**
   * Follows an order: its current status first, or everything after the entry that the client had last; then each
   * status in order, until a final one.
   *
   * @param last the sequence of the last entry that the client had
   * @param signal ends the stream, and frees its place
   * @returns entries, and null each time there was nothing for a while; undefined when no entry can follow any more
   * @throws ProblemException ORDER_NOT_FOUND or TOO_MANY_STREAMS
   */
  async follow(
    orderId: string,
    last: bigint | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<HistoryEntry | null> | undefined> {
    const wake = this.#takePlace(orderId, signal);
    const { status } = await this.orders.get(orderId);
    const missed = await this.repository.statusesAfter(orderId, last ?? 0n);
    if (missed.length === 0 && isFinal(status)) return undefined;
    return this.#entries(orderId, last === undefined ? missed.slice(-1) : missed, last ?? 0n, wake, signal);
  }

  /** Watches from before the first read, so that no change falls between the two. */
  #takePlace(orderId: string, signal: AbortSignal): Wake {
    const max = this.config.ORDER_STREAMS_MAX;
    if (this.#open >= max) throw tooManyStreams(max);
    const wake = new Wake();
    const unwatch = this.listener.watch(orderId, () => wake.up());
    this.#open += 1;
    const free = () => {
      this.#open -= 1;
      unwatch();
      wake.up();
    };
    if (signal.aborted) free();
    else signal.addEventListener('abort', free, { once: true });
    return wake;
  }

  async *#entries(
    orderId: string,
    first: readonly HistoryEntry[],
    last: bigint,
    wake: Wake,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryEntry | null> {
    let entries = first;
    let position = last;
    while (!signal.aborted) {
      for (const entry of entries) {
        yield entry;
        if (isFinal(entry.status)) return;
        position = entry.sequence;
      }
      if (!(await wake.within(KEEP_ALIVE_MS))) yield null;
      entries = await this.#statusesAfter(orderId, position);
    }
  }

  /** While the database is away nothing changes: the listener wakes everyone when it is back. */
  async #statusesAfter(orderId: string, position: bigint): Promise<HistoryEntry[]> {
    try {
      return await this.repository.statusesAfter(orderId, position);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) return [];
      throw error;
    }
  }
}
