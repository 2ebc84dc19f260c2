import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Log,
  type RecordBatch,
  RecordConsumer,
  TopicOffsets,
  type WriterSchemas,
} from '@millrace/messaging';
import { envelopeOf, snapshotName } from '../changes/envelope.js';
import { type DecodedRecord, decodeRecord } from '../changes/record.decoder.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import type { Source } from './source.js';
import { Watermark } from './watermark.js';
import { watermarkWriter } from './watermark-writer.js';

/** How often a marker is written for the lag alone. */
const EVERY_MS = 5_000;
/** A marker that has not come by then is written again: nobody read the topic yet, or it was lost with its topic. */
const AGAIN_MS = 5_000;
const PRUNE_EVERY_MS = 10 * 60 * 1_000;
const LIMITS = { records: 500, bytes: 256 * 1_024 };
/**
 * How far back the first look at a topic goes, in records: to where a connector may have begun anew while no bridge was
 * there to see it, or none that could ask for a sweep. Some hours of markers, which take a second or two to read.
 */
const LOOK_BACK = 20_000n;

export interface WatermarksOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly schemas: WriterSchemas;
  readonly databases: NamedDatabases;
  readonly sources: readonly Source[];
  readonly log: Log;
  /** Default 5,000 ms. */
  readonly everyMs?: number;
  /**
   * Told when a connector has begun to read everything anew: its markers come as rows of a snapshot, also where a
   * table has no row any more. Told again until it resolves, and once more by each process that starts soon after.
   */
  onSnapshot?(database: string, snapshot: SourceSnapshot): Promise<void>;
}

/** Everything that a connector captures, read anew, or what may have been for all that is known. */
export interface SourceSnapshot {
  /** See `snapshotName`. */
  readonly name: string;
  readonly began: Date;
  /** Whether the connector had told of nothing before, as far as is known: then no change was lost. */
  readonly isFirst: boolean;
}

/**
 * Shows how far connectors have come: writes marker rows into sources, as the bridge's own role, and sees them arrive
 * in their topics. A marker in five seconds is all that it costs while nobody asks. Close it.
 */
export class SourceWatermarks {
  readonly #options: WatermarksOptions;
  readonly #watermarks: ReadonlyMap<string, Watermark>;
  readonly #offsets: TopicOffsets;
  readonly #consumer: RecordConsumer;
  readonly #positions = new Map<string, bigint>();
  /** Databases of whose changes a connector has told. */
  readonly #streamed = new Set<string>();
  readonly #told = new Map<string, string>();
  readonly #closing = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: WatermarksOptions) {
    this.#options = options;
    const { brokers, clientId, log, databases, sources } = options;
    this.#watermarks = new Map(
      sources.map((source) => [source.name, new Watermark(watermarkWriter(databases, source))]),
    );
    this.#offsets = new TopicOffsets({ brokers, clientId, log });
    this.#consumer = new RecordConsumer({
      brokers,
      clientId,
      log,
      // Every process sees every marker.
      group: `cdc-bridge.watermarks.${randomUUID()}`,
      topics: [...this.#watermarks.values()].map(({ topic }) => topic),
      limits: LIMITS,
      begin: (topic, partition) => this.#begin(topic, partition),
      handle: (batch) => this.#handle(batch),
      onLost: async (_topic, _partition, { high }) => high,
    });
  }

  start(): void {
    if (this.#watermarks.size === 0) return;
    this.#consumer.start();
    this.#running = Promise.all(
      [...this.#watermarks].map(([name, watermark]) => this.#mark(name, watermark)),
    );
  }

  /**
   * Resolves when every change that was committed to the database before this call can be read in its topic.
   * @throws Error where the signal is aborted first, the watermarks are closed, or the database is no source
   */
  async caughtUp(database: string, signal: AbortSignal): Promise<void> {
    const watermark = this.#find(database);
    const bounded = AbortSignal.any([signal, this.#closing.signal]);
    // Connect ends a transaction in every partition before it begins the next. A marker of the one that holds the
    // change can be seen before the change, in another partition; one of a later transaction cannot.
    await this.#arrived(watermark, bounded);
    await this.#arrived(watermark, bounded);
  }

  /** By how many seconds a source's topics are behind it; undefined until it is known. */
  lagSeconds(database: string): number | undefined {
    const lagMs = this.#find(database).lagMs(performance.now());
    return lagMs === undefined ? undefined : lagMs / 1_000;
  }

  /** Why how far connectors have come is not known, one sentence each. */
  reasons(): string[] {
    const faults = [...this.#watermarks].flatMap(([name, { fault }]) =>
      fault === undefined ? [] : [`no marker can be written to ${name}: ${fault}`],
    );
    return [...faults, ...(this.#watermarks.size === 0 ? [] : this.#consumer.reasons())];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (this.#watermarks.size > 0) await this.#consumer.close();
    await this.#offsets.close();
  }

  #find(database: string): Watermark {
    const watermark = this.#watermarks.get(database);
    if (!watermark) throw new Error(`${database} is no source of a pipeline`);
    return watermark;
  }

  async #arrived(watermark: Watermark, signal: AbortSignal): Promise<void> {
    while (true) {
      signal.throwIfAborted();
      const wait = AbortSignal.any([signal, AbortSignal.timeout(AGAIN_MS)]);
      if (await watermark.pass(wait)) return;
      // The database may be away: its faults are told by `reasons`.
      if (watermark.fault !== undefined) await sleep(1_000, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Writes a marker now and then, whether the one before has come or not: its age is the lag. */
  async #mark(name: string, watermark: Watermark): Promise<void> {
    const { signal } = this.#closing;
    let pruneAt = 0;
    while (!signal.aborted) {
      void watermark.mark();
      if (performance.now() >= pruneAt) {
        pruneAt = performance.now() + PRUNE_EVERY_MS;
        await watermark.prune().catch((error) => {
          this.#options.log.warn('old markers could not be removed', { database: name, err: error });
        });
      }
      await sleep(this.#options.everyMs ?? EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Of what came before this process only a snapshot that nobody saw is of interest. */
  async #begin(topic: string, partition: number): Promise<bigint> {
    const known = this.#positions.get(topic);
    if (known !== undefined) return known;
    const { low, high } = await this.#offsets.range(topic, partition);
    const begin = high - low > LOOK_BACK ? high - LOOK_BACK : low;
    const name = this.#sourceOf(topic);
    if (begin > 0n && name !== undefined) this.#streamed.add(name);
    // All markers have expired: for so long nobody has looked, and a snapshot may have come and gone.
    if (name !== undefined && low === high && low > 0n)
      await this.#options.onSnapshot?.(name, { name: 'unseen', began: new Date(), isFirst: false });
    return begin;
  }

  async #handle({ topic, records, next }: RecordBatch): Promise<void> {
    const name = this.#sourceOf(topic);
    const watermark = this.#watermarks.get(name ?? '');
    for (const { key, value } of records) {
      if (name === undefined || !watermark) continue;
      const change = value ? await this.#decode(value) : undefined;
      const told = { key: key ? (await this.#decode(key)).fields : {}, value: change?.fields };
      const marker = watermark.markerIn(told);
      if (marker !== undefined) watermark.arrived(marker);
      if (change) await this.#seen(name, change);
    }
    this.#positions.set(topic, next);
  }

  #decode(bytes: Buffer): Promise<DecodedRecord> {
    return decodeRecord(bytes, this.#options.schemas);
  }

  async #seen(database: string, change: DecodedRecord): Promise<void> {
    const envelope = envelopeOf(change);
    if (!envelope) return;
    const name = snapshotName(envelope);
    if (name === null) {
      this.#streamed.add(database);
      return;
    }
    const told = this.#told.get(database);
    if (told === name) return;
    const isFirst = told === undefined && !this.#streamed.has(database);
    await this.#options.onSnapshot?.(database, { name, began: envelope.at, isFirst });
    this.#told.set(database, name);
  }

  #sourceOf(topic: string): string | undefined {
    return [...this.#watermarks].find(([, watermark]) => watermark.topic === topic)?.[0];
  }
}
