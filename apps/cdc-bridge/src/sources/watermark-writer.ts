import { isRecord } from '../changes/envelope.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import {
  changeTopic,
  OWN_SCHEMA,
  SIGNALS_COLLECTION,
  SIGNALS_TABLE,
  WATERMARKS_COLLECTION,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import { quoteName } from '../postgres/identifier.js';
import { MARKED_DOCUMENT, type MarkedDocument } from './mongo.plan.js';
import type { Source } from './source.js';

/** How long markers are kept: nobody waits for one so long. */
const KEPT_MS = 60 * 60 * 1_000;
const OWN = quoteName(OWN_SCHEMA);

/** The decoded key and value of a record in the topic of the markers. */
export interface WatermarkRecord {
  readonly key: Fields;
  readonly value: Fields | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Where a source's markers are written, and where they arrive. */
export interface WatermarkWriter {
  readonly topic: string;
  /** The id of the marker that a record tells of; undefined where it tells of none. */
  markerIn(record: WatermarkRecord): string | undefined;
  write(id: string): Promise<void>;
  /** Removes old markers, and signals that the connector has read from the log long ago. */
  prune(): Promise<void>;
}

export function watermarkWriter(databases: NamedDatabases, { kind, name }: Source): WatermarkWriter {
  return kind === 'postgres' ? postgresWriter(databases, name) : mongoWriter(databases, name);
}

function postgresWriter(databases: NamedDatabases, name: string): WatermarkWriter {
  const { pool } = databases.postgres(name);
  return {
    topic: changeTopic(name, `${OWN_SCHEMA}.${WATERMARKS_TABLE}`),
    markerIn: ({ key }) => (key.id === undefined ? undefined : String(key.id)),
    async write(id) {
      await pool.query(`insert into ${OWN}.${WATERMARKS_TABLE} (id) values ($1)`, [id]);
    },
    async prune() {
      const seconds = KEPT_MS / 1_000;
      await pool.query(
        `delete from ${OWN}.${WATERMARKS_TABLE} where at < clock_timestamp() - make_interval(secs => $1)`,
        [seconds],
      );
      await pool.query(`delete from ${OWN}.${SIGNALS_TABLE}`);
    },
  };
}

/** One document that each marker changes: an insert would make the collection anew after it was dropped. */
function mongoWriter(databases: NamedDatabases, name: string): WatermarkWriter {
  const { db } = databases.mongo(name);
  const watermarks = db.collection<MarkedDocument>(WATERMARKS_COLLECTION);
  return {
    topic: changeTopic(name, `${db.databaseName}.${WATERMARKS_COLLECTION}`),
    markerIn: ({ value }) => markerOf(value?.after) ?? markerOf(updatedFields(value)),
    async write(id) {
      const { matchedCount } = await watermarks.updateOne(
        { _id: MARKED_DOCUMENT },
        { $set: { marker: id } },
        { writeConcern: { w: 'majority', wtimeoutMS: 10_000 } },
      );
      if (matchedCount === 0) throw new Error(`${WATERMARKS_COLLECTION} is empty: apply the pipelines again`);
    },
    async prune() {
      await db.collection(SIGNALS_COLLECTION).deleteMany({});
    },
  };
}

/** What an update set; the image after it is null, as the collection keeps none. */
function updatedFields(value: Fields | undefined): unknown {
  const told = value?.updateDescription;
  return isRecord(told) ? told.updatedFields : undefined;
}

function markerOf(json: unknown): string | undefined {
  if (typeof json !== 'string') return undefined;
  const { marker } = JSON.parse(json);
  return typeof marker === 'string' ? marker : undefined;
}
