import { BSON, type Collection, type Document, ObjectId } from 'mongodb';
import type { Pool } from 'pg';
import type { TableName } from '../postgres/identifier.js';
import { fromMongo, fromPostgres, type SinkError } from '../sinks/sink.error.js';
import { TYPED_READS } from '../values/bson-value.js';
import { exactJson } from '../values/exact-json.js';
import type { Side } from './pair.decision.js';
import type { PairTables } from './pair.tables.js';
import { restoreRow } from './restore-row.js';

/** What was overwritten because both sides had changed. */
export interface Conflict {
  /** Names the entry, and the place after which the next page begins. */
  readonly id: string;
  readonly key: string;
  readonly at: Date;
  /** Whose row or document it was. */
  readonly lost: Side;
  /**
   * The whole row as JSON, in which a number that a double would alter (a digit, or its scale) is a string; or the
   * whole document as Extended JSON. Null where that side had deleted it.
   */
  readonly loser: Readonly<Record<string, unknown>> | null;
}

/** There is no such entry in the conflict log. */
export class ConflictUnknown extends Error {
  readonly code = 'CONFLICT_UNKNOWN';
  readonly canRetry = false;

  constructor(id: string) {
    super(`no conflict ${JSON.stringify(id)}`);
  }
}

/** Its side does not take the loser back: a constraint, a validator, or another row has what is unique. */
export class RestoreRefused extends Error {
  readonly code = 'RESTORE_REFUSED';
  readonly canRetry = false;

  constructor(side: Side, cause: SinkError) {
    super(`${side} does not take the loser back: ${cause.message}`, { cause });
  }
}

/** Milliseconds within which a statement must answer. */
const TIMEOUT_MS = 5_000;
const MAX_PAGE = 1_000;
/** Milliseconds, the side that lost, its log's own number or ObjectId. */
const PLACE = /^(\d{1,15})-(?:(?=postgres-\d{1,18}$)|(?=mongo-[0-9a-f]{24}$))(postgres|mongo)-(\w+)$/;

interface Place {
  readonly at: Date;
  readonly side: Side;
  readonly id: string;
}

/** Both halves of a pair's conflict log: losing rows are in Postgres, losing documents in MongoDB. */
export class ConflictLog {
  constructor(
    private readonly pool: Pool,
    private readonly tables: PairTables,
    private readonly table: TableName,
    private readonly documents: Collection,
    private readonly logged: Collection,
  ) {}

  /**
   * The newest first.
   * @param before the id of the last entry of the page before
   * @throws ConflictUnknown for an id of another form
   */
  async page(limit: number, before?: string): Promise<Conflict[]> {
    const max = Math.min(Math.max(1, limit), MAX_PAGE);
    const place = before === undefined ? undefined : placeOf(before);
    const both = [...(await this.#rows(max, place)), ...(await this.#documents(max, place))];
    return both.sort(newestFirst).slice(0, max);
  }

  /**
   * Puts a loser back where it was overwritten, as an ordinary edit: the bridge carries it over to the other side.
   * @throws ConflictUnknown, RestoreRefused; SinkError where the same may pass later
   */
  async restore(id: string): Promise<void> {
    const place = placeOf(id);
    const { side } = place;
    try {
      await (side === 'postgres' ? this.#restoreRow(place) : this.#restoreDocument(place));
    } catch (error) {
      if (error instanceof ConflictUnknown) throw error;
      const fault = side === 'postgres' ? fromPostgres(error) : fromMongo(error);
      // Somebody who holds the row lets it go; a value that is taken stays so until a person has seen to it.
      const isRefused =
        fault.code === 'SINK_REFUSED' || (fault.code === 'SINK_CONFLICT' && !fault.isContention);
      throw isRefused ? new RestoreRefused(side, fault) : fault;
    }
  }

  async #rows(limit: number, place: Place | undefined): Promise<Conflict[]> {
    // At the same moment the rows come first.
    const after = place && { at: place.at, n: place.side === 'postgres' ? place.id : '0' };
    const { rows } = await this.pool.query<{ n: string; key: string; at: Date; loser: string | null }>(
      `select n, key, at, loser::text from ${this.tables.conflicts}
       where $2::timestamptz is null or (at, n) < ($2, $3::bigint) order by at desc, n desc limit $1`,
      [limit, after?.at ?? null, after?.n ?? null],
    );
    return rows.map(({ n, key, at, loser }) => ({
      id: idOf({ at, side: 'postgres', id: n }),
      key,
      at,
      lost: 'postgres',
      loser: loser === null ? null : (exactJson(loser) as Conflict['loser']),
    }));
  }

  async #documents(limit: number, place: Place | undefined): Promise<Conflict[]> {
    const older: Document[] = place ? [{ at: { $lt: place.at } }] : [{}];
    if (place?.side === 'postgres') older.push({ at: place.at });
    else if (place) older.push({ at: place.at, _id: { $lt: new ObjectId(place.id) } });
    const found = await this.logged
      .find({ $or: older }, { ...TYPED_READS, maxTimeMS: TIMEOUT_MS })
      .sort({ at: -1, _id: -1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id, key, at, loser }) => ({
      id: idOf({ at, side: 'mongo', id: _id.toHexString() }),
      key,
      at,
      lost: 'mongo',
      loser: loser === null ? null : BSON.EJSON.serialize(loser, { relaxed: false }),
    }));
  }

  async #restoreRow(place: Place): Promise<void> {
    const isThere = await restoreRow(this.pool, this.tables, this.table, place.id);
    if (!isThere) throw new ConflictUnknown(idOf(place));
  }

  async #restoreDocument(place: Place): Promise<void> {
    const entry = await this.logged.findOne(
      { _id: new ObjectId(place.id) },
      { ...TYPED_READS, maxTimeMS: TIMEOUT_MS },
    );
    if (!entry) throw new ConflictUnknown(idOf(place));
    if (entry.loser === null) {
      if (entry.id !== undefined) await this.documents.deleteOne({ _id: { $eq: entry.id } });
      return;
    }
    await this.documents.replaceOne({ _id: { $eq: entry.loser._id } }, entry.loser, { upsert: true });
  }
}

function idOf({ at, side, id }: Place): string {
  return `${at.getTime()}-${side}-${id}`;
}

function placeOf(text: string): Place {
  const [, at = '', side, id = ''] = PLACE.exec(text) ?? [];
  if (side !== 'postgres' && side !== 'mongo') throw new ConflictUnknown(text);
  return { at: new Date(Number(at)), side, id };
}

function newestFirst(a: Conflict, b: Conflict): number {
  if (a.at.getTime() !== b.at.getTime()) return b.at.getTime() - a.at.getTime();
  if (a.lost !== b.lost) return a.lost === 'postgres' ? -1 : 1;
  return compareIds(b.id, a.id);
}

/** Of one side and moment: numbers of different lengths, or hexadecimals of one. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
