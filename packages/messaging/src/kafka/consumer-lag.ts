import type { Admin } from 'kafkajs';
import type { Log } from '../log.js';
import { consumerLag } from '../metrics.js';

/** What an assigned partition's consumer knows of itself. */
export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** The offset that comes next, where the consumer knows it. */
  readonly position: bigint | undefined;
}

/** How far a partition is behind, and since when it has not moved. */
export interface Standing {
  readonly position: bigint;
  readonly lag: bigint;
  /** Since when there has been lag without progress. */
  readonly stoodSince: number;
}

/** Time counts from when a partition with lag last moved, or first had lag. */
export function standing(before: Standing | undefined, position: bigint, end: bigint, now: number): Standing {
  const lag = end > position ? end - position : 0n;
  const stood = before !== undefined && before.position === position && before.lag > 0n && lag > 0n;
  return { position, lag, stoodSince: stood ? before.stoodSince : now };
}

type Standings = ReadonlyMap<string, Standing & { readonly topic: string; readonly partition: number }>;

export interface ConsumerLagOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly admin: Admin;
  readonly assigned: () => readonly PartitionProgress[];
  readonly everyMs: number;
  readonly stalledAfterMs: number;
  readonly log: Log;
}

/** Asks the brokers, at a fixed pace, how far the assigned partitions are behind: two requests and one per topic. */
export class ConsumerLag {
  #standings: Standings = new Map();
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> | undefined;
  #connected = false;

  constructor(private readonly options: ConsumerLagOptions) {}

  start(): void {
    const { everyMs, log } = this.options;
    this.#timer = setInterval(() => {
      this.#sampling ??= this.#sample()
        .catch((error: Error) => log.warn(`consumer lag is not known: ${error.message}`))
        .finally(() => {
          this.#sampling = undefined;
        });
    }, everyMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sampling;
    if (this.#connected) await this.options.admin.disconnect().catch(() => undefined);
    this.#keep(new Map());
  }

  /** The partitions with lag that have stood still for too long. */
  reasons(now = performance.now()): string[] {
    return [...this.#standings.values()]
      .filter(({ lag, stoodSince }) => lag > 0n && now - stoodSince >= this.options.stalledAfterMs)
      .map(({ topic, partition, position, lag, stoodSince }) => {
        const seconds = Math.round((now - stoodSince) / 1_000);
        return `${topic}/${partition}@${position} has stood still for ${seconds} s with ${lag} records to go`;
      });
  }

  async #sample(): Promise<void> {
    const { admin, group, topics, assigned } = this.options;
    const partitions = assigned();
    if (partitions.length === 0) return this.#keep(new Map());
    if (!this.#connected) {
      await admin.connect();
      this.#connected = true;
    }
    const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const ends = await Promise.all(
      topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const),
    );
    const endsByTopic = new Map(ends);
    const now = performance.now();
    const standings = new Map<string, Standing & { topic: string; partition: number }>();
    for (const { topic, partition, position } of partitions) {
      const bounds = endsByTopic.get(topic)?.find((entry) => entry.partition === partition);
      if (!bounds) continue;
      const stored = committed
        .find((entry) => entry.topic === topic)
        ?.partitions.find((entry) => entry.partition === partition)?.offset;
      const next =
        position ?? (stored !== undefined && BigInt(stored) >= 0n ? BigInt(stored) : BigInt(bounds.low));
      const name = `${topic}/${partition}`;
      const entry = standing(this.#standings.get(name), next, BigInt(bounds.high), now);
      standings.set(name, { topic, partition, ...entry });
    }
    this.#keep(standings);
  }

  /** Other partitions' gauges go: whoever has them now tells of them. */
  #keep(standings: Standings): void {
    const { group } = this.options;
    for (const [name, { topic, partition }] of this.#standings)
      if (!standings.has(name)) consumerLag.remove({ group, topic, partition });
    for (const { topic, partition, lag } of standings.values())
      consumerLag.set({ group, topic, partition }, Number(lag));
    this.#standings = standings;
  }
}
