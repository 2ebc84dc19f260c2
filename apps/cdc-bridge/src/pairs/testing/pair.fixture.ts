import type { MongoClient } from 'mongodb';
import pg from 'pg';
import { GrantedRights } from '../../postgres/granted-rights.js';
import { sessionOptions } from '../../postgres/session.js';
import { columnsState, readColumns } from '../../postgres/table-columns.js';
import { writingRights } from '../../postgres/writing-rights.js';
import type { Databases } from '../../testing/databases.js';
import type { BsonValue } from '../../values/bson-value.js';
import { MongoSide } from '../mongo.side.js';
import type { ConflictPolicy } from '../pair.decision.js';
import { type MappingOptions, PairMapping } from '../pair.mapping.js';
import { PAIR_SESSION } from '../pair.session.js';
import { type PairParts, PairSync } from '../pair.sync.js';
import { PairTables } from '../pair.tables.js';
import { PairWorker } from '../pair.worker.js';
import { PostgresSide } from '../postgres.side.js';

export const SCHEMA = 'millrace_bridge';
export const appName = (databases: Databases) => `${databases.name}-bridge`;

const TABLE = { schema: 'public', table: 'customers' };
const DEFAULTS: MappingOptions = { rename: {}, drop: ['local'], key: 'native' };

/** A worker with connections of its own, as if it were a process. */
export interface Running {
  readonly worker: PairWorker;
  readonly unmapped: BsonValue[];
  /** Resolves with what the worker's loop threw, or undefined. */
  readonly ended: Promise<unknown>;
  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the pair's objects by the owner's hand, and the collections by the bridge's. */
export async function createPair(
  databases: Databases,
  options: Partial<MappingOptions> = {},
): Promise<PairTables> {
  const owner = await databases.postgres('owner');
  const tables = new PairTables(SCHEMA, 'customers');
  const mapping = new PairMapping(await readColumns(owner, TABLE), { ...DEFAULTS, ...options });
  const role = new URL(databases.postgresUrl('bridge')).username;
  const needed = await writingRights(owner, TABLE, { role, holder: tables.pair });
  const rights = await (await GrantedRights.read(owner)).grants(needed);
  for (const { sql } of [...tables.create(TABLE, mapping.key, role), ...rights]) await owner.query(sql);
  const client = await databases.mongo('bridge');
  await mongoSide(databases, client).create();
  return tables;
}

export async function dropPair(databases: Databases): Promise<void> {
  const owner = await databases.postgres('owner');
  const tables = new PairTables(SCHEMA, 'customers');
  const rights = (await GrantedRights.read(owner)).revocations((holder) => holder === tables.pair);
  for (const { sql } of [...tables.release(TABLE), ...rights, ...tables.drop()]) await owner.query(sql);
}

export async function startWorker(
  databases: Databases,
  policy: ConflictPolicy,
  {
    maxKeys = 50,
    syncOf = (parts) => new PairSync(parts),
    ...options
  }: Partial<MappingOptions> & { maxKeys?: number; syncOf?: (parts: PairParts) => PairSync } = {},
): Promise<Running> {
  const pool = new pg.Pool({
    connectionString: databases.postgresUrl('bridge'),
    options: sessionOptions(PAIR_SESSION),
    max: 2,
  });
  pool.on('error', () => {});
  const client = await databases.mongo('bridge', { appName: appName(databases), maxPoolSize: 3 });
  const { rows } = await pool.query<{ state: string }>(`select ${columnsState(TABLE)} as state`);
  const columns = await readColumns(pool, TABLE);
  const mapping = new PairMapping(columns, { ...DEFAULTS, newest: policy.newest, ...options });
  const postgres = new PostgresSide(
    TABLE,
    new PairTables(SCHEMA, 'customers'),
    mapping,
    rows[0]?.state ?? '',
  );
  const sync = syncOf({ pool, client, postgres, mongo: mongoSide(databases, client), mapping, policy });
  const unmapped: BsonValue[] = [];
  const worker = new PairWorker(sync, (id) => void unmapped.push(id), maxKeys);
  const ended = worker.run().then(
    () => undefined,
    (error: unknown) => error,
  );
  const close = async () => {
    await Promise.allSettled([pool.end(), client.close(true)]);
  };
  return {
    worker,
    unmapped,
    ended,
    kill: async () => {
      worker.stop();
      await client.close(true); // the open transaction stays behind in MongoDB, or is aborted
      await ended;
      await close();
    },
    stop: async () => {
      worker.stop();
      await ended;
      await close();
    },
  };
}

function mongoSide(databases: Databases, client: MongoClient): MongoSide {
  const collection = client.db(databases.name).collection('customers');
  return new MongoSide(collection, client.db(`${databases.name}_bridge`), 'customers');
}
