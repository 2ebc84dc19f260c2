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
import type { Source } from './source.js';

/** How long markers are kept: nobody waits for one so long. */
const KEPT_MS = 60 * 60 * 1_000;
const OWN = quoteName(OWN_SCHEMA);

/** Where a source's markers are written, and where they arrive. */
export interface WatermarkWriter {
  readonly topic: string;
  /** The id in the key of a marker's change. */
  idOf(key: Readonly<Record<string, unknown>>): string;
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
    idOf: ({ id }) => String(id),
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

function mongoWriter(databases: NamedDatabases, name: string): WatermarkWriter {
  const { db } = databases.mongo(name);
  const watermarks = db.collection<{ _id: string; at: Date }>(WATERMARKS_COLLECTION);
  return {
    topic: changeTopic(name, `${db.databaseName}.${WATERMARKS_COLLECTION}`),
    // The connector writes keys as JSON.
    idOf: ({ id }) => String(JSON.parse(String(id))),
    async write(id) {
      await watermarks.insertOne(
        { _id: id, at: new Date() },
        { writeConcern: { w: 'majority', wtimeoutMS: 10_000 } },
      );
    },
    async prune() {
      await watermarks.deleteMany({ at: { $lt: new Date(Date.now() - KEPT_MS) } });
      await db.collection(SIGNALS_COLLECTION).deleteMany({});
    },
  };
}
