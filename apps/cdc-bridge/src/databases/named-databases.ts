import type { Db, MongoClient } from 'mongodb';
import type { Pool } from 'pg';

/** A Postgres database that the environment names, as the bridge's own role sees it. */
export interface PostgresDatabase {
  readonly kind: 'postgres';
  readonly name: string;
  /** As the bridge's own role. */
  readonly url: string;
  /** Connections with `POSTGRES_SESSION`, a connection timeout and a statement timeout. */
  readonly pool: Pool;
  /**
   * A further pool, with other settings of the session beside these; closed together with the database.
   * @param max connections
   */
  open(session: Readonly<Record<string, string>>, max: number): Pool;
}

/** A MongoDB database that the environment names. */
export interface MongoDatabase {
  readonly kind: 'mongo';
  readonly name: string;
  /** As the bridge's own role; whoever makes another client with it closes that. */
  readonly url: string;
  readonly client: MongoClient;
  /** The user's database. */
  readonly db: Db;
  /** The bridge's own database beside it. */
  readonly own: Db;
}

/** @throws Error for a name that the environment does not have */
export interface NamedDatabases {
  postgres(name: string): PostgresDatabase;
  mongo(name: string): MongoDatabase;
}
