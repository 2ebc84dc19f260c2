import { setTimeout as pause } from 'node:timers/promises';
import { CONFIG } from '@millrace/service-defaults';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import pg from 'pg';
import type { OrderServiceConfig } from '../config.js';
import { connectionOptions } from '../database/connection.js';

/** The channel on which the trigger of the table `orders` tells which order's status changed. */
const CHANNEL = 'order_status';
const CHECK_EVERY_MS = 15_000;
const RECONNECT_AFTER_MS = { first: 100, most: 5_000 };

/**
 * Hears of every status that changes, whichever instance changed it, on one connection to the database.
 *
 * connecting ─► listening ─► (connection lost) ─► waiting ─► connecting …, until the module is destroyed.
 *
 * What is committed while it does not listen is not told: whenever it listens again, every watcher is woken.
 */
@Injectable()
export class OrderStatusListener implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger(OrderStatusListener.name);
  readonly #stop = new AbortController();
  readonly #watchers = new Map<string, Set<() => void>>();
  #running: Promise<void> = Promise.resolve();

  constructor(@Inject(CONFIG) private readonly config: Pick<OrderServiceConfig, 'DATABASE_URL'>) {}

  onApplicationBootstrap(): void {
    this.#running = this.#listenUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /**
   * Calls `wake` whenever the order's status may have changed.
   *
   * @returns ends the watch
   */
  watch(orderId: string, wake: () => void): () => void {
    const watchers = this.#watchers.get(orderId) ?? new Set();
    this.#watchers.set(orderId, watchers.add(wake));
    return () => {
      watchers.delete(wake);
      if (watchers.size === 0 && this.#watchers.get(orderId) === watchers) this.#watchers.delete(orderId);
    };
  }

  async #listenUntilStopped(): Promise<void> {
    const { signal } = this.#stop;
    let delay = RECONNECT_AFTER_MS.first;
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          delay = RECONNECT_AFTER_MS.first;
        });
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn(
          `does not hear of changes, connecting again: ${error instanceof Error ? error.message : error}`,
        );
      }
      await pause(delay, undefined, { signal }).catch(() => {});
      delay = Math.min(delay * 2, RECONNECT_AFTER_MS.most);
    }
  }

  /** Listens on one connection; rejects when it is lost, resolves when the module is destroyed. */
  async #listen(onListening: () => void): Promise<void> {
    const client = new pg.Client(connectionOptions(this.config.DATABASE_URL));
    const lost = new Promise<never>((_, reject) => {
      client.once('error', reject);
      client.once('end', () => reject(new Error('the connection ended')));
    });
    lost.catch(() => {});
    // An error after the first must not become an uncaught one.
    client.on('error', () => {});
    client.on('notification', ({ payload }) => this.#wake(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      onListening();
      for (const orderId of this.#watchers.keys()) this.#wake(orderId);
      await Promise.race([lost, this.#checkUntilStopped(client)]);
    } finally {
      // Not awaited: a server that no longer answers would hold it up.
      client.end().catch(() => {});
    }
  }

  /** A connection that died without a word shows when it is used. */
  async #checkUntilStopped(client: pg.Client): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(CHECK_EVERY_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await client.query('SELECT 1');
    }
  }

  #wake(orderId: string): void {
    for (const wake of this.#watchers.get(orderId) ?? []) wake();
  }
}
