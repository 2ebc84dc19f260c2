import {
  type LostPosition,
  type RecordBatch,
  RecordConsumer,
  type StoredPosition,
} from '@millrace/messaging';
import type { Position } from '../checkpoints/checkpoint.js';
import { sourceMemoryOf } from '../control/control.js';
import { groupOf } from '../names/bridge-names.js';
import { PartitionWork } from './partition.work.js';
import type { RunnerParts } from './runner.parts.js';

/** How an assigned partition stands. */
export interface PartitionState {
  readonly partition: number;
  readonly position: bigint | undefined;
  readonly end: bigint | undefined;
  /** When the source committed what is being applied; undefined while nothing waits. */
  readonly pendingSince: Date | undefined;
}

const SNAPSHOT_EVERY_MS = 60_000;

/**
 * Carries one one-way pipeline on from its checkpoints: this instance's share of the topic's partitions, side by
 * side. Whichever instance a partition is assigned to, the checkpoints in the sink decide who may write.
 */
export class PipelineRunner {
  readonly #consumer: RecordConsumer;
  readonly #work = new Map<number, PartitionWork>();
  #snapshotAskedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: RunnerParts) {
    const { route, brokers, log, limits } = parts;
    this.#consumer = new RecordConsumer({
      brokers,
      clientId: 'cdc-bridge',
      group: groupOf(route.pipeline.name),
      topics: [route.topic],
      log,
      limits: { records: limits.records, bytes: limits.bytes },
      closeWithinMs: limits.closeWithinMs,
      begin: (_, partition) => this.#begin(partition),
      handle: (batch) => this.#handle(batch),
      onLost: (_, partition, lost) => this.#lost(partition, lost),
    });
  }

  start(): void {
    this.#consumer.start();
  }

  /** The partitions that this instance has now. */
  partitions(): PartitionState[] {
    return this.#consumer.assigned().map(({ partition, position, end }) => ({
      partition,
      position,
      end,
      pendingSince: this.#work.get(partition)?.pendingSince,
    }));
  }

  /** Whether this instance is the one that sweeps. */
  get leads(): boolean {
    return this.#consumer.assigned().some(({ partition }) => partition === 0);
  }

  /** Why the pipeline does not go on as it should; none when all is well. */
  reasons(): string[] {
    const waits = this.#consumer.assigned().flatMap(({ partition }) => {
      const reason = this.#work.get(partition)?.troubles.reason;
      return reason ? [`partition ${partition} waits: ${reason}`] : [];
    });
    // A partition that waits on purpose is no news.
    return waits.length > 0 || !this.parts.gate.isOpen ? waits : this.#consumer.reasons();
  }

  /** Finishes the batches in hand, within a bounded time. */
  close(): Promise<void> {
    return this.#consumer.close();
  }

  async #begin(partition: number): Promise<StoredPosition> {
    const { checkpoints, offsets, log, route } = this.parts;
    const position = this.#positionOf(partition);
    let found = await checkpoints.get(position);
    if (!found) {
      const { low } = await offsets.range(route.topic, partition);
      if (low > 0n && route.pipeline.snapshot === 'initial') await this.#late(partition, low);
      if (route.pipeline.snapshot === 'never') await this.#forgetOlderSnapshots();
      await checkpoints.start(position, low);
      found = await checkpoints.get(position);
    }
    if (!found) throw new Error(`no checkpoint of ${route.pipeline.name} in partition ${partition}`);
    log.debug('a partition begins', { ...position, next: String(found.next) });
    this.#work.set(partition, new PartitionWork(this.parts, partition, found.next, found.last));
    return { next: found.next, ...(found.last && { last: found.last }) };
  }

  async #handle(batch: RecordBatch): Promise<void> {
    const work = this.#work.get(batch.partition);
    if (!work) throw new Error(`partition ${batch.partition} has not begun`);
    await work.handle(batch);
  }

  /** Another pipeline, or a long rest before the first start: the rows of the first snapshot are not there any more. */
  async #late(partition: number, low: bigint): Promise<void> {
    const { route, control, log } = this.parts;
    const { name } = route.pipeline;
    const reason = `${route.topic}/${partition} holds its records from ${low} on, and not what was there first`;
    log.info(`${reason}: a new snapshot is asked for`, { pipeline: name });
    await control.requestSweep(name, reason);
    await this.#askForSnapshot();
  }

  /** What the source lost before the pipeline began is none of its own: a sweep would bring every row. */
  async #forgetOlderSnapshots(): Promise<void> {
    const { control, route } = this.parts;
    const memory = sourceMemoryOf(route.pipeline.name);
    if ((await control.all()).get(memory)?.snapshot) return;
    await control.rememberSnapshot(memory, new Date().toISOString());
  }

  /** Rows may have passed unseen: a sweep finds them, and the topic is read from what it still has. */
  async #lost(partition: number, { why, position, low, high }: LostPosition): Promise<bigint> {
    const { control, checkpoints, log, route } = this.parts;
    const { name } = route.pipeline;
    const held = `${route.topic}/${partition} holds ${low} to ${high}`;
    const message =
      why === 'recreated'
        ? `the topic is not the one that was read to ${position}; ${held}`
        : `the checkpoint ${position} is outside of its topic: ${held}`;
    log.error(`${message}: a sweep is asked for`, { pipeline: name });
    await control.setLastError(name, { code: 'POSITION_LOST', message, at: new Date() });
    await control.requestSweep(name, message);
    await this.#askForSnapshot();
    await checkpoints.jump({ ...this.#positionOf(partition), expected: position, next: low });
    return low;
  }

  /**
   * One for all partitions: they tend to be lost together, and the sweep finds whatever comes between.
   * @throws Error where the source does not take it: nothing is read before it has
   */
  async #askForSnapshot(): Promise<void> {
    if (performance.now() - this.#snapshotAskedAt < SNAPSHOT_EVERY_MS) return;
    await this.parts.requestSnapshot();
    this.#snapshotAskedAt = performance.now();
  }

  #positionOf(partition: number): Position {
    return { pipeline: this.parts.route.pipeline.name, topic: this.parts.route.topic, partition };
  }
}
