import type { ClientSession, MongoClient } from 'mongodb';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../postgres/transaction.js';
import { refuseOversize } from '../sinks/mongo.writes.js';
import { fromMongo, fromPostgres, SinkError } from '../sinks/sink.error.js';
import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import type { DocWrite, MongoSide } from './mongo.side.js';
import {
  type Base,
  type ConflictPolicy,
  type Decision,
  decide,
  NO_BASE,
  type Standing,
} from './pair.decision.js';
import type { Image } from './pair.image.js';
import type { PairMapping } from './pair.mapping.js';
import {
  ColumnsChanged,
  type PostgresSide,
  type RowReading,
  RowsMoved,
  type RowWrite,
} from './postgres.side.js';
import { Round } from './round.js';

/** The most keys that a round takes: thousands of advisory locks in a transaction exhaust Postgres' memory. */
export const MAX_KEYS = 500;
/**
 * A worker that was stopped for longer between its two readings begins again: its write would come so late
 * that the key's ledger row may have been pruned meanwhile.
 */
const MAX_READING_AGE_MS = 30_000;
const LOOK_ATTEMPTS = 5;

export interface PairParts {
  readonly pool: Pool;
  readonly client: MongoClient;
  readonly postgres: PostgresSide;
  readonly mongo: MongoSide;
  readonly mapping: PairMapping;
  readonly policy: ConflictPolicy;
}

interface Item extends RowReading {
  readonly id: BsonValue;
  readonly row: BsonDocument | null;
  readonly doc: BsonDocument | null;
  readonly rowImage: Image | null;
  readonly docImage: Image | null;
  readonly base: Base;
}

/** How a key stands, and what would be done about it. */
export interface Look {
  readonly key: string;
  readonly rev: bigint;
  readonly row: Image | null;
  readonly doc: Image | null;
  readonly decision: Decision;
  /** Why the key cannot be compared, where that is so. */
  readonly fault: string | null;
}

/** Keys that were looked at together. */
export interface Looked {
  readonly looks: readonly Look[];
  /** About how many were read of both sides. */
  readonly bytes: number;
}

/**
 * One round of `sync(key)` for a batch of keys: reads both sides under the keys' locks, decides, and writes
 * what came from Postgres in one MongoDB transaction and what came from MongoDB in one Postgres transaction.
 * It may be run for any key at any time, by any number of workers, and be killed at any moment.
 */
export class PairSync {
  /** @param choose decides for a key; the pair's own policy unless a repair has another */
  constructor(
    readonly parts: PairParts,
    readonly choose: (standing: Standing) => Decision = (standing) => decide(standing, parts.policy),
  ) {}

  /**
   * Reads keys of both sides and decides, without a lock and without a write. Halves what does not answer in time.
   * @throws SinkError, ColumnsChanged
   */
  async look(keys: readonly string[]): Promise<Looked> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#look(keys);
      } catch (error) {
        // Another instance ends this one's transaction as an idle one, where this process stood still in it.
        const passes = error instanceof SinkError && error.code === 'SINK_CONFLICT';
        if (!passes || attempt === LOOK_ATTEMPTS) throw error;
        const half = keys.length >> 1;
        if (half === 0) continue;
        const halves = [await this.look(keys.slice(0, half)), await this.look(keys.slice(half))];
        return {
          looks: halves.flatMap(({ looks }) => looks),
          bytes: halves.reduce((sum, { bytes }) => sum + bytes, 0),
        };
      }
    }
  }

  async #look(keys: readonly string[]): Promise<Looked> {
    const round = new Round(keys);
    const readings = await inTransaction(this.parts.pool, (client) =>
      this.parts.postgres.read(client, keys),
    ).catch((error: unknown) => {
      throw error instanceof ColumnsChanged ? error : fromPostgres(error);
    });
    await using session = this.parts.client.startSession();
    try {
      session.startTransaction({ readConcern: { level: 'snapshot' } });
      const items = await this.#read(session, round, readings);
      const looks = items.map((item): Look => {
        const { decision } = this.#decide(item);
        return {
          key: item.key,
          rev: item.rev,
          row: item.rowImage,
          doc: item.docImage,
          decision,
          fault: null,
        };
      });
      const refused = round.failures.flatMap(({ keys: [key = ''], error }): Look[] => [
        { key, rev: 0n, row: null, doc: null, decision: { go: 'nothing' }, fault: error.message },
      ]);
      return { looks: [...looks, ...refused], bytes: round.bytes };
    } catch (error) {
      throw fromMongo(error);
    } finally {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    }
  }

  /**
   * Never rejects for a key's or a database's sake: what failed stands in the round, by key.
   * @param keys texts of keys, `MAX_KEYS` at most
   * @throws ColumnsChanged
   */
  async round(keys: readonly string[]): Promise<Round> {
    if (keys.length > MAX_KEYS) throw new RangeError(`${keys.length} keys in a round`);
    const round = new Round(keys);
    let writes: readonly RowWrite[] = [];
    try {
      await inTransaction(this.parts.pool, async (client) => {
        writes = await this.#run(client, round);
      });
      round.wroteRows(writes);
    } catch (error) {
      if (error instanceof ColumnsChanged) throw error;
      if (error instanceof RowsMoved) round.failed(error.keys, new SinkError('SINK_CONFLICT', error));
      else round.failed(round.open(), fromPostgres(error));
    }
    round.later(round.open());
    return round;
  }

  async #run(client: PoolClient, round: Round): Promise<RowWrite[]> {
    const { postgres } = this.parts;
    const locked = await postgres.lock(client, round.keys);
    if (locked.length === 0) return [];
    const readAt = performance.now();
    const readings = await postgres.read(client, locked);
    // Only now: what is read from MongoDB is then never older than what Postgres accepted from it.
    const { toDoc, toRow } = await this.#inSnapshot(round, readings, readAt);
    round.wroteDocs(toDoc);
    const ready = toRow.length > 0 ? await postgres.stillAsRead(client, toRow) : [];
    if (ready.length > 0) await postgres.write(client, ready);
    await postgres.unpark(client, round.settled(readings, ready));
    return ready;
  }

  /** Reads and decides in a snapshot transaction of MongoDB, and writes the documents in the same. */
  async #inSnapshot(
    round: Round,
    readings: readonly RowReading[],
    readAt: number,
  ): Promise<{ toDoc: DocWrite[]; toRow: RowWrite[] }> {
    await using session = this.parts.client.startSession();
    let toDoc: DocWrite[] = [];
    let toRow: RowWrite[] = [];
    try {
      session.startTransaction({
        readConcern: { level: 'snapshot' },
        writeConcern: { w: 'majority' },
        maxCommitTimeMS: 5_000,
      });
      const items = await this.#read(session, round, readings);
      if (performance.now() - readAt > MAX_READING_AGE_MS) return { toDoc, toRow };
      const decided = items.map((item) => this.#decide(item));
      for (const { key } of decided.filter(({ decision }) => decision.go === 'nothing')) round.nothing(key);
      for (const { key } of decided.filter(({ decision }) => decision.go === 'stale')) round.stale(key);
      toRow = decided.flatMap((item) => this.#valued(round, item, () => this.#rowWrite(item)));
      toDoc = decided.flatMap((item) => this.#valued(round, item, () => docWrite(item, this.parts.mapping)));
      if (toDoc.length > 0) await this.parts.mongo.write(session, toDoc);
      await (toDoc.length > 0 ? session.commitTransaction() : session.abortTransaction());
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      round.failed(toDoc.length > 0 ? toDoc.map(({ key }) => key) : round.open(), fromMongo(error));
      toRow = toDoc.length > 0 ? toRow : [];
      toDoc = [];
    }
    return { toDoc, toRow };
  }

  async #read(session: ClientSession, round: Round, readings: readonly RowReading[]): Promise<Item[]> {
    const { mapping, mongo } = this.parts;
    const ids = new Map<string, BsonValue>();
    for (const { key, texts } of readings) {
      // What no document can be of needs nothing once its row is gone.
      if (texts === null && !mapping.key.hasId(key)) round.nothing(key);
      else this.#valued(round, { key }, () => ids.set(key, mapping.key.idOf(key)));
    }
    const { docs, bases, bytes } = await mongo.read(session, ids, (id) => mapping.key.textOf(id));
    round.bytes = bytes + textLength(readings);
    return readings.flatMap((reading) => {
      const id = ids.get(reading.key);
      if (id === undefined) return [];
      return this.#valued(round, reading, () => {
        const doc = docs.get(reading.key) ?? null;
        const row = reading.texts && mapping.documentOf(reading.texts);
        const images = { rowImage: mapping.image(row), docImage: mapping.image(doc) };
        return { ...reading, id, row, doc, ...images, base: bases.get(reading.key) ?? NO_BASE };
      });
    });
  }

  #decide(item: Item): Item & { decision: Decision } {
    const { rev, accepted, rowImage: row, docImage: doc, base } = item;
    return { ...item, decision: this.choose({ rev, accepted, row, doc, base }) };
  }

  #rowWrite({ key, rev, doc, row, decision }: Item & { decision: Decision }): RowWrite | undefined {
    if (decision.go !== 'toRow') return undefined;
    const { mapping } = this.parts;
    const texts =
      doc &&
      mapping.fields.map((field, i) => (decision.differ.includes(i) ? mapping.textOf(field, doc) : null));
    return { key, rev, exists: row !== null, texts, ...decision };
  }

  /** What a value of one key cannot be fails that key alone. */
  #valued<T>(round: Round, { key }: { key: string }, work: () => T | undefined): NonNullable<T>[] {
    try {
      const result = work();
      return result === undefined || result === null ? [] : [result];
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      round.failed([key], error);
      return [];
    }
  }
}

function textLength(readings: readonly RowReading[]): number {
  const texts = readings.flatMap(({ texts }) => texts ?? []);
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}

/** Whether a base says no more than none would: one that were kept would never go again. */
function isNone({ rev, hash }: Base): boolean {
  return rev === NO_BASE.rev && hash === NO_BASE.hash;
}

/** @throws ValueFault for a document over 16 MB */
function docWrite(item: Item & { decision: Decision }, mapping: PairMapping): DocWrite | undefined {
  const { key, id, doc, row, decision } = item;
  const write = { key, id, old: doc };
  if (decision.go === 'dropBase') return { ...write, conflict: false, fields: undefined, base: null };
  if (decision.go !== 'toDoc') return undefined;
  const { conflict, differ } = decision;
  const base = isNone(decision.base) ? null : decision.base;
  const isSame = differ.length === 0 && (row === null) === (doc === null);
  if (isSame) return { ...write, conflict, fields: undefined, base };
  if (row === null) return { ...write, conflict, fields: null, base };
  const fields: BsonDocument = {};
  for (const i of differ) {
    const name = mapping.fields[i]?.name ?? '';
    setField(fields, name, row[name] ?? null);
  }
  refuseOversize(key, fields);
  return { ...write, conflict, fields, base };
}
