import { type Log, silentLog } from '@millrace/messaging';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import { ownDatabase } from '../names/bridge-names.js';
import { sessionOptions } from '../postgres/session.js';
import type { DatabaseSettings } from './database-settings.js';
import type { MongoDatabase, NamedDatabases, PostgresDatabase } from './named-databases.js';

/** Told to the databases, and to whoever looks for the bridge's sessions in them. */
export const APPLICATION_NAME = 'millrace-bridge';

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How long a statement may run on the server. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** When an answer is given up: later than the server ends the statement, so that the connection lives on. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;
const POOL_SIZE = 12;

const SESSION = {
  application_name: APPLICATION_NAME,
  statement_timeout: `${STATEMENT_TIMEOUT_MS}ms`,
  lock_timeout: '5s',
  idle_in_transaction_session_timeout: '10s',
  row_security: 'off',
};

/** The databases of the environment, each opened when it is first asked for. Its owner closes it. */
export class OpenDatabases implements NamedDatabases {
  readonly #opened = new Map<string, PostgresDatabase | MongoDatabase>();
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(
    readonly settings: readonly DatabaseSettings[],
    private readonly log: Log = silentLog,
  ) {}

  postgres(name: string): PostgresDatabase {
    const found = this.#opened.get(name) ?? this.#remember(this.#openPostgres(this.#find('postgres', name)));
    return found as PostgresDatabase;
  }

  mongo(name: string): MongoDatabase {
    const found = this.#opened.get(name) ?? this.#remember(this.#openMongo(this.#find('mongo', name)));
    return found as MongoDatabase;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closing.splice(0).map((close) => close()));
    this.#opened.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #find(kind: DatabaseSettings['kind'], name: string): DatabaseSettings {
    const found = this.settings.find((database) => database.kind === kind && database.name === name);
    if (!found) throw new Error(`the environment names no ${kind} database ${name}`);
    return found;
  }

  #remember<T extends PostgresDatabase | MongoDatabase>(database: T): T {
    this.#opened.set(database.name, database);
    return database;
  }

  #openPostgres({ name, url }: DatabaseSettings): PostgresDatabase {
    const open = (session: Readonly<Record<string, string>>, max: number) => {
      const pool = new pg.Pool({
        connectionString: url,
        max,
        options: sessionOptions({ ...SESSION, ...session }),
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: ANSWER_TIMEOUT_MS,
        keepAlive: true,
      });
      pool.on('error', (error) =>
        this.log.warn(`a connection to the database ${name} ended`, { err: error }),
      );
      this.#closing.push(async () => {
        if (!pool.ending) await pool.end();
      });
      return pool;
    };
    return { kind: 'postgres', name, url, pool: open({}, POOL_SIZE), open };
  }

  #openMongo({ name, url }: DatabaseSettings): MongoDatabase {
    const client = new MongoClient(url, {
      appName: APPLICATION_NAME,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS,
      waitQueueTimeoutMS: CONNECT_TIMEOUT_MS,
      socketTimeoutMS: ANSWER_TIMEOUT_MS,
      maxPoolSize: 30,
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', wtimeoutMS: STATEMENT_TIMEOUT_MS },
    });
    this.#closing.push(() => client.close());
    const db = client.db();
    return { kind: 'mongo', name, url, client, db, own: client.db(ownDatabase(db.databaseName)) };
  }
}
