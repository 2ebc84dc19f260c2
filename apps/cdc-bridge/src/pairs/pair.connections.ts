import { MongoClient } from 'mongodb';
import type { Pool } from 'pg';
import type { NamedDatabases } from '../databases/named-databases.js';
import { changeTopic, OWN_SCHEMA, ownDatabase } from '../names/bridge-names.js';
import type { TwoWayPipeline } from '../pipelines/pipeline.schema.js';
import { sequencesOf } from '../postgres/key-sequence.js';
import { columnsState, readColumns } from '../postgres/table-columns.js';
import { ConflictLog } from './conflict.log.js';
import { checkLedgerKey } from './ledger-key.js';
import { MongoSide } from './mongo.side.js';
import { PairMapping } from './pair.mapping.js';
import { tableOf } from './pair.preparation.js';
import { PAIR_SESSION } from './pair.session.js';
import type { PairParts } from './pair.sync.js';
import { PairTables } from './pair.tables.js';
import { PostgresSide } from './postgres.side.js';

/** Of a round's transactions, and of what reads beside them. */
const POOL_SIZE = 6;
const TIMEOUT_MS = 10_000;

/** The pair's objects are not (all) there. */
export class PairNotPrepared extends Error {
  readonly code = 'PAIR_NOT_PREPARED';
  readonly canRetry = true;

  constructor(pair: string) {
    super(`the tables of the pair ${pair} are missing: run prepare`);
  }
}

/** The databases of one pair, over connections of its own. Close it. */
export class PairConnections {
  readonly #pool: Pool;
  readonly #client: MongoClient;
  /** Of every connection of this pair's to MongoDB, in any process, and of no other. */
  readonly appName: string;
  readonly tables: PairTables;
  readonly mongo: MongoSide;
  readonly conflicts: ConflictLog;
  readonly topics: { readonly row: string; readonly document: string };

  constructor(
    readonly pipeline: TwoWayPipeline,
    databases: NamedDatabases,
  ) {
    const [{ postgres, table }, { mongo, collection }] = pipeline.between;
    const [source, target] = [databases.postgres(postgres), databases.mongo(mongo)];
    this.appName = appNameOf(pipeline.name);
    this.#pool = source.open(PAIR_SESSION, POOL_SIZE);
    this.#client = new MongoClient(target.url, {
      appName: this.appName,
      maxPoolSize: POOL_SIZE,
      connectTimeoutMS: TIMEOUT_MS,
      serverSelectionTimeoutMS: TIMEOUT_MS,
      waitQueueTimeoutMS: TIMEOUT_MS,
      socketTimeoutMS: TIMEOUT_MS,
    });
    const { databaseName } = target.db;
    const documents = this.#client.db(databaseName).collection(collection);
    this.tables = new PairTables(OWN_SCHEMA, pipeline.name);
    this.mongo = new MongoSide(documents, this.#client.db(ownDatabase(databaseName)), pipeline.name);
    // Over the database's own pool: what is put back may wait longer for a lock than a round.
    this.conflicts = new ConflictLog(
      source.pool,
      this.tables,
      tableOf(pipeline),
      documents,
      this.mongo.conflicts,
    );
    this.topics = {
      row: changeTopic(postgres, table),
      document: changeTopic(mongo, `${databaseName}.${collection}`),
    };
  }

  get pool(): Pool {
    return this.#pool;
  }

  get client(): MongoClient {
    return this.#client;
  }

  /**
   * What a worker needs, with the table's columns as they are now. One that `drop` or `rename` names and that is gone
   * does no harm: `prepare` tells of it.
   * @throws PairNotPrepared, PairKeyChanged
   */
  async parts(): Promise<PairParts> {
    const { rename, drop, key, conflict } = this.pipeline;
    const table = tableOf(this.pipeline);
    // The state before the columns: where both changed between, the first round notices.
    const { rows } = await this.#pool.query<{ there: boolean; state: string }>(
      `select to_regclass($1) is not null as there, ${columnsState(table)} as state`,
      [this.tables.positions],
    );
    const [{ there, state } = { there: false, state: '' }] = rows;
    if (!there) throw new PairNotPrepared(this.pipeline.name);
    const columns = await readColumns(this.#pool, table);
    const isThere = (name: string) => columns.some((column) => column.name === name);
    const mapping = new PairMapping(columns, {
      rename: Object.fromEntries(Object.entries(rename).filter(([name]) => isThere(name))),
      drop: drop.filter(isThere),
      key,
      newest: conflict.newest,
    });
    await checkLedgerKey(this.#pool, this.tables, mapping.key);
    const sequences = await sequencesOf(this.#pool, table, mapping.key);
    const postgres = new PostgresSide(
      table,
      this.tables,
      mapping,
      state,
      sequences.filter(({ granted }) => granted),
    );
    const policy = {
      priority: conflict.priority,
      ...(conflict.newest !== undefined && { newest: conflict.newest }),
    };
    return { pool: this.#pool, client: this.#client, postgres, mongo: this.mongo, mapping, policy };
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#pool.end(), this.#client.close()]);
  }
}

/** Names a pair's connections to MongoDB there. */
export function appNameOf(pair: string): string {
  return `millrace-pair-${pair}`;
}
