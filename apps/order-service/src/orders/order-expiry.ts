import { setTimeout as pause } from 'node:timers/promises';
import { CONFIG } from '@millrace/service-defaults';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { OrderServiceConfig } from '../config.js';
import { OrdersService } from './orders.service.js';

/** Orders that expire in one transaction, and so the most that one lock can hold up. */
const BATCH = 50;

/** Lets unanswered orders expire, for as long as the service runs. */
@Injectable()
export class OrderExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger(OrderExpiry.name);
  readonly #stop = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly orders: OrdersService,
    @Inject(CONFIG) private readonly config: OrderServiceConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeping = this.#sweepUntilStopped();
  }

  /** Finishes the batch in hand. */
  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#sweeping;
  }

  async #sweepUntilStopped(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const more = await this.#sweep();
      if (!more) await pause(this.config.ORDER_EXPIRY_SWEEP_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #sweep(): Promise<boolean> {
    try {
      const expired = await this.orders.expire(this.config.ORDER_EXPIRY_MS, BATCH);
      if (expired > 0) this.#log.log(`${expired} unanswered orders expired`);
      return expired === BATCH;
    } catch (error) {
      this.#log.warn(
        `orders could not expire, to be tried again: ${error instanceof Error ? error.message : error}`,
      );
      return false;
    }
  }
}
