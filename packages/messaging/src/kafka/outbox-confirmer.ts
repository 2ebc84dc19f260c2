import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { backoffMs } from '../middleware/backoff.js';
import type { OutboxStore } from '../outbox/outbox-store.js';
import { settlesWithin } from '../settles-within.js';
import { textHeaders } from './incoming-record.js';
import { type KafkaConnection, kafkaClient } from './kafka-client.js';

export interface OutboxConfirmerOptions extends KafkaConnection {
  /** The service's group; the confirmer's own is `<group>.outbox-confirmer`. */
  readonly group: string;
  /** The topics that the service's outbox is published to. */
  readonly topics: readonly string[];
  readonly store: OutboxStore;
}

const BACKOFF = { firstMs: 250, maxMs: 10_000 };
const STORE_TIMEOUT_MS = 10_000;
const LEAVE_MS = 5_000;
/** Rows go in bulk: their removal may lag behind, so that a steady flow is some large statements, not many small. */
const FETCH_WAIT_MS = 1_000;
const FETCH_MIN_BYTES = 64 * 1_024;

/**
 * Removes outbox rows whose events are in the log. With exactly-once source support, what is read back committed is
 * what the connector has confirmed: it will not publish from a place before it. Of each record only the header `id`
 * is looked at. The offset is committed after the rows are gone, so that a crash removes them again, which is nothing.
 */
export class OutboxConfirmer {
  readonly #kafka: Kafka;
  readonly #closed = new AbortController();
  #life: Promise<void> | undefined;

  constructor(private readonly options: OutboxConfirmerOptions) {
    this.#kafka = kafkaClient(options);
  }

  /** Goes on until it is closed, however often the brokers or the database are away. */
  start(): void {
    this.#life ??= this.#live();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#life;
  }

  async #live(): Promise<void> {
    const { signal } = this.#closed;
    for (let crashes = 1; !signal.aborted; crashes++) {
      const crash = await this.#consume(() => {
        crashes = 0;
      });
      if (signal.aborted) return;
      this.options.log.error('the outbox confirmer crashed; it begins again', { err: crash });
      await sleep(backoffMs(BACKOFF, Math.max(1, crashes)), undefined, { signal }).catch(() => undefined);
    }
  }

  /** One consumer's life, until it crashes (resolves with the cause) or this is closed. */
  async #consume(onJoined: () => void): Promise<unknown> {
    const consumer = this.#kafka.consumer({
      groupId: `${this.options.group}.outbox-confirmer`,
      allowAutoTopicCreation: false,
      sessionTimeout: 10_000,
      heartbeatInterval: 2_000,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: FETCH_MIN_BYTES,
    });
    const end = new Promise<unknown>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, onJoined);
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
      this.#closed.signal.addEventListener('abort', resolve, { once: true });
    });
    const running = this.#run(consumer);
    try {
      return await Promise.race([end, running.then(() => end)]);
    } catch (error) {
      return error;
    } finally {
      const left = running.catch(() => undefined).then(() => consumer.disconnect());
      await settlesWithin(left, LEAVE_MS);
    }
  }

  async #run(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#confirm(payload),
    });
  }

  /** Resolved, and so committed, only when the rows are gone; the database may be away for as long as it likes. */
  async #confirm({ batch, resolveOffset, heartbeat, isRunning }: EachBatchPayload): Promise<void> {
    const ids = batch.messages.flatMap(({ headers }) => textHeaders(headers).id ?? []);
    for (let attempt = 1; isRunning() && !this.#closed.signal.aborted; attempt++) {
      try {
        await withTimeout(this.options.store.remove(ids), STORE_TIMEOUT_MS);
        resolveOffset(batch.lastOffset());
        return;
      } catch (error) {
        this.options.log.warn('outbox rows could not be removed', { attempt, err: error });
      }
      await this.#pause(backoffMs(BACKOFF, attempt), heartbeat);
    }
  }

  /** Stays in the group meanwhile. @throws when the group rebalances, which ends the batch */
  async #pause(ms: number, heartbeat: () => Promise<void>): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && !this.#closed.signal.aborted) {
      await heartbeat();
      await sleep(Math.min(500, ms), undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }
}

async function withTimeout(work: Promise<void>, ms: number): Promise<void> {
  if (!(await settlesWithin(work, ms))) throw new Error(`no answer within ${ms} ms`);
  await work;
}
