import { PartitionWork } from '../delivery/partition-work.js';
import type { Log } from '../log.js';
import type { Deliver } from '../middleware/middleware.js';
import { settlesWithin } from '../settles-within.js';
import { type MemoryLog, nameOf } from './memory-log.js';

interface Working {
  readonly work: PartitionWork;
  readonly ended: Promise<void>;
}

/** A consumer group's members share its partitions evenly, and each partition goes on where the last owner committed. */
export class MemoryGroup {
  readonly #committed = new Map<string, bigint>();
  readonly #members: MemoryMember[] = [];

  constructor(
    readonly name: string,
    readonly log: MemoryLog,
  ) {}

  join(member: MemoryMember): void {
    this.#members.push(member);
    this.#rebalance();
  }

  leave(member: MemoryMember): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    this.#rebalance();
  }

  committed(topic: string, partition: number): bigint {
    return this.#committed.get(nameOf(topic, partition)) ?? 0n;
  }

  commit(topic: string, partition: number, nextOffset: bigint): void {
    this.#committed.set(nameOf(topic, partition), nextOffset);
  }

  #rebalance(): void {
    for (const member of this.#members) {
      const partitions = Array.from({ length: this.log.partitionCount }, (_, partition) => partition);
      member.assign(
        partitions.filter((partition) => this.#members[partition % this.#members.length] === member),
      );
    }
  }
}

export interface MemoryMemberOptions {
  readonly group: MemoryGroup;
  readonly topics: readonly string[];
  readonly deliver: Deliver;
  readonly closeWithinMs: number;
  readonly output: Log;
}

export class MemoryMember {
  readonly #working = new Map<string, Working>();
  readonly #ending = new AbortController();

  constructor(private readonly options: MemoryMemberOptions) {}

  assign(partitions: readonly number[]): void {
    const wanted = new Map(
      this.options.topics.flatMap((topic) =>
        partitions.map((partition) => [nameOf(topic, partition), { topic, partition }] as const),
      ),
    );
    for (const [name, { work }] of this.#working) {
      if (wanted.has(name)) continue;
      work.abort('the partition was given to another consumer of the group');
      this.#working.delete(name);
    }
    for (const [name, { topic, partition }] of wanted)
      if (!this.#working.has(name)) this.#working.set(name, this.#begin(topic, partition));
  }

  async close(): Promise<void> {
    this.#ending.abort();
    for (const { work } of this.#working.values()) work.stop();
    const ended = Promise.all([...this.#working.values()].map((working) => working.ended));
    if (!(await settlesWithin(ended, this.options.closeWithinMs)))
      for (const { work } of this.#working.values()) work.abort('the time to shut down is over');
    this.options.group.leave(this);
    this.#working.clear();
  }

  #begin(topic: string, partition: number): Working {
    const { group, deliver, output } = this.options;
    const commit = async (nextOffset: bigint) => group.commit(topic, partition, nextOffset);
    const work = new PartitionWork({ topic, partition, group: group.name, deliver, commit, log: output });
    return { work, ended: this.#consume(work, group.committed(topic, partition)) };
  }

  async #consume(work: PartitionWork, from: bigint): Promise<void> {
    const signal = AbortSignal.any([work.stopping, this.#ending.signal]);
    for (let next = from; !signal.aborted; next = work.position ?? next) {
      const records = await this.options.group.log.read(work.topic, work.partition, next, signal);
      const last = records.at(-1);
      if (last) await work.handle(records, last.offset + 1n);
    }
  }
}
