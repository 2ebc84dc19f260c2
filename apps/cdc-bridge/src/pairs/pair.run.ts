import {
  type DeadLetters,
  type Log,
  RecordConsumer,
  type TopicOffsets,
  type WriterSchemas,
} from '@millrace/messaging';
import { groupOf } from '../names/bridge-names.js';
import type { BsonValue } from '../values/bson-value.js';
import type { ValueFault } from '../values/value.fault.js';
import { CONFLICT_RETENTION, type ConflictRetention, pruneConflicts } from './conflict-retention.js';
import { HintReader } from './hint-reader.js';
import { PairKeyChanged } from './ledger-key.js';
import { pruneLedger } from './ledger-pruning.js';
import type { PairConnections } from './pair.connections.js';
import { type PairError, PairIntake } from './pair.intake.js';
import { PairPositions } from './pair.positions.js';
import { type PairParts, PairSync } from './pair.sync.js';
import { PairWorker } from './pair.worker.js';
import { UnmappedDocuments } from './unmapped.documents.js';

export interface PairSettings {
  /** How often every key is looked at, whatever the hints say. Default: 10 minutes. */
  readonly checkEveryMs: number;
  /** How often the table's columns are looked at. Default: 10 s. */
  readonly columnsEveryMs: number;
  /** How long a key is remembered that is absent on both sides. Default: a day. */
  readonly tombstoneAgeMs: number;
  /** How many losers are kept, and for how long. Default: a million on each side, for 90 days. */
  readonly conflicts: ConflictRetention;
  /** After so long without a heartbeat the partitions of an instance go to the others. Default: 10 s. */
  readonly sessionTimeoutMs: number;
  /** How long what is in hand may take when it is stopped. Default: 10 s. */
  readonly closeWithinMs: number;
}

/** What pairs use and others own. */
export interface PairDeps {
  readonly kafka: { readonly brokers: readonly string[]; readonly clientId: string };
  readonly registry: WriterSchemas;
  readonly deadLetters: Pick<DeadLetters, 'write'>;
  readonly offsets: Pick<TopicOffsets, 'ranges'>;
  readonly log: Log;
  /** Resolves when every change that a database committed before this call is in its topic. */
  caughtUp(database: string, signal: AbortSignal): Promise<void>;
  /** @throws Error with `code` where a topic of the pair may lose hints that are still needed */
  checkTopics?(): Promise<void>;
  /** Takes what the other instances are to see too. */
  onError?(error: PairError): void;
  readonly settings?: Partial<PairSettings>;
}

const CHECK_EVERY_MS = 600_000;
const COLUMNS_EVERY_MS = 10_000;
const TOMBSTONE_AGE_MS = 86_400_000;
/** Records that are handled at once; as many keys wait in the worker for each partition, at most. */
const LIMITS = { records: 500, bytes: 8_000_000 };

/** A pair at work in this process: takes hints from Kafka, and works on them, until it is stopped. */
export class PairRun {
  readonly worker: PairWorker;
  readonly unmapped: UnmappedDocuments;
  /** Rejects when the pair cannot go on: with PairRestored, or ColumnsChanged. */
  readonly ended: Promise<void>;
  readonly #intake: PairIntake;
  readonly #consumer: RecordConsumer;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #stop = new AbortController();

  /** @param columnsChanged is told when the table is no longer as the parts have it */
  constructor(
    private readonly connections: PairConnections,
    private readonly parts: PairParts,
    private readonly deps: PairDeps,
    private readonly columnsChanged: () => void,
  ) {
    const { pipeline, topics, mongo, tables, pool } = connections;
    const pair = pipeline.name;
    const { deadLetters, log, kafka, settings, registry } = deps;
    this.unmapped = new UnmappedDocuments(mongo.collection, mongo.own, pair, topics.document, deadLetters);
    this.worker = new PairWorker(new PairSync(parts), (id, fault) => this.#tell(id, fault));
    this.#intake = new PairIntake({
      pair,
      rowTopic: topics.row,
      pool,
      reader: new HintReader(registry, parts.mapping.key),
      worker: this.worker,
      positions: new PairPositions(pool, tables),
      unmapped: this.unmapped,
      deadLetters,
      log,
      onError: (error) => deps.onError?.(error),
    });
    this.#consumer = new RecordConsumer({
      ...kafka,
      log,
      group: groupOf(pair),
      topics: [topics.row, topics.document],
      limits: LIMITS,
      begin: (topic, partition) => {
        // One instance has this partition: it looks at what no hint will tell of.
        if (topic === topics.row && partition === 0) void this.#baseline();
        return this.#intake.begin(topic, partition);
      },
      handle: (batch) => this.#intake.handle(batch),
      onLost: (topic, partition, lost) => this.#intake.lost(topic, partition, lost),
      ...(settings?.sessionTimeoutMs !== undefined && { sessionTimeoutMs: settings.sessionTimeoutMs }),
      ...(settings?.closeWithinMs !== undefined && { closeWithinMs: settings.closeWithinMs }),
    });
    this.ended = this.worker.run();
    this.ended.catch(() => undefined); // whoever waits for it is told
    this.#consumer.start();
    this.#timers = [
      setInterval(() => void this.#tend(), settings?.checkEveryMs ?? CHECK_EVERY_MS),
      setInterval(() => void this.#checkColumns(), settings?.columnsEveryMs ?? COLUMNS_EVERY_MS),
    ];
  }

  reasons(): string[] {
    const { fault } = this.worker;
    const looks = fault === undefined ? [] : [`the look at every key waits: ${fault}`];
    return [...this.#consumer.reasons(), ...looks];
  }

  /** Milliseconds of Unix: of the oldest record in hand; null where there is none. */
  get inHandSince(): number | null {
    return this.#intake.inHandSince;
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stop.abort();
    await this.#consumer.close();
    this.worker.stop();
    await this.ended.catch(() => undefined);
  }

  /**
   * At once, and again when both connectors are known to stream: a change between the first look and the place where
   * a new connector begins is in no topic, because nothing of a pair is snapshotted.
   */
  async #baseline(): Promise<void> {
    this.worker.checkEverything();
    const [{ postgres }, { mongo }] = this.connections.pipeline.between;
    try {
      await Promise.all([postgres, mongo].map((name) => this.deps.caughtUp(name, this.#stop.signal)));
      this.worker.checkEverything();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const { name } = this.connections.pipeline;
      this.deps.log.warn(`pair ${name}: a connector is late; the periodic check follows`, { err: error });
    }
  }

  /** The slow check, and what is due with it. */
  async #tend(): Promise<void> {
    const { topics, pipeline, pool, tables, mongo } = this.connections;
    if (!this.#consumer.assigned().some(({ topic, partition }) => topic === topics.row && partition === 0))
      return;
    const { tombstoneAgeMs: age = TOMBSTONE_AGE_MS, conflicts = CONFLICT_RETENTION } =
      this.deps.settings ?? {};
    try {
      if (!this.worker.isCheckingEverything) this.worker.checkEverything();
      await pruneConflicts(pool, tables, mongo.conflicts, conflicts);
      await this.unmapped.lookAgain((id) => this.parts.mapping.key.isKey(id));
      const pruned = await pruneLedger(this.parts, age);
      await this.worker.settled(pruned, this.#stop.signal);
    } catch (err) {
      if (this.#stop.signal.aborted) return;
      this.deps.log.warn(`pair ${pipeline.name}: old entries could not be removed, which is tried again`, {
        err,
      });
    }
  }

  /** A new type alters rows of which no hint tells: even where nobody writes, everything is to be looked at. */
  async #checkColumns(): Promise<void> {
    const columnsOf = ({ mapping: { key, fields } }: PairParts) => JSON.stringify([key.columns, fields]);
    const known = columnsOf(this.parts);
    const now = await this.connections.parts().then(
      columnsOf,
      (error: unknown) => (error instanceof PairKeyChanged ? error.message : known), // the worker tells of a database that is away
    );
    if (now !== known && !this.#stop.signal.aborted) this.columnsChanged();
  }

  async #tell(id: BsonValue, { message }: ValueFault): Promise<void> {
    await this.unmapped.tell(id, message);
  }
}
