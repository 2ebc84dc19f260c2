import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import type { RunningStack } from '../harness/running-stack.ts';

/** The two sides that are compared, each a Postgres database whose `orders` flow into MongoDB. */
export const SIDES = ['shipped', 'defaults'] as const;
export type SideName = (typeof SIDES)[number];

const ROLES = { owner: '', bridge: '', cdc: 'replication' };
export type Role = keyof typeof ROLES;

/** Databases of the benchmark's own with roles of their own, none a superuser; gone once it is disposed. */
export class RelayDatabases implements AsyncDisposable {
  readonly name = `bench${randomBytes(4).toString('hex')}`;
  readonly #at: RunningStack['databases'];

  private constructor(at: RunningStack['databases']) {
    this.#at = at;
  }

  static async create(at: RunningStack['databases']): Promise<RelayDatabases> {
    const databases = new RelayDatabases(at);
    await databases.#asPostgresAdmin(async (admin) => {
      for (const [role, attributes] of Object.entries(ROLES)) {
        const user = databases.#user(role as Role);
        await admin.query(`create role ${user} login ${attributes} password '${user}'`);
      }
      for (const side of SIDES) {
        await admin.query(`create database ${databases.#database(side)} owner ${databases.#user('owner')}`);
      }
    });
    for (const side of SIDES) {
      await using owner = await connect(databases.postgresUrl(side, 'owner'));
      await owner.client.query(`create table orders (id int primary key, customer text not null,
        amount numeric(18,4) not null, note text, placed_at timestamptz not null default now())`);
    }
    await databases.#createMongo();
    return databases;
  }

  /** As pipelines and connectors name a side's database. */
  sideName(side: SideName): string {
    return `${this.name}-${side}`;
  }

  postgresUrl(side: SideName, role: Role): string {
    const url = new URL(this.#at.postgresAdmin);
    url.username = url.password = this.#user(role);
    url.pathname = `/${this.#database(side)}`;
    return url.href;
  }

  mongoUrl(role: Role): string {
    const url = new URL(this.#at.mongoAdmin);
    url.username = url.password = this.#user(role);
    url.pathname = `/${this.name}`;
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asPostgresAdmin(async (admin) => {
      for (const side of SIDES) await admin.query(`drop database ${this.#database(side)} with (force)`);
      for (const role of Object.keys(ROLES)) await admin.query(`drop role ${this.#user(role as Role)}`);
    });
    await using mongo = await MongoClient.connect(this.#at.mongoAdmin);
    for (const name of [this.name, `${this.name}_bridge`]) await mongo.db(name).dropDatabase();
    for (const role of Object.keys(ROLES)) {
      await mongo.db('admin').command({ dropUser: this.#user(role as Role) });
    }
  }

  async #createMongo(): Promise<void> {
    await using mongo = await MongoClient.connect(this.#at.mongoAdmin);
    for (const role of Object.keys(ROLES)) {
      await mongo.db('admin').command({
        createUser: this.#user(role as Role),
        pwd: this.#user(role as Role),
        roles: [this.name, `${this.name}_bridge`].map((db) => ({
          role: role === 'owner' ? 'dbOwner' : 'readWrite',
          db,
        })),
      });
    }
  }

  #user(role: Role): string {
    return `${this.name}_${role}`;
  }

  #database(side: SideName): string {
    return `${this.name}_${side}`;
  }

  async #asPostgresAdmin(work: (admin: pg.Client) => Promise<void>): Promise<void> {
    await using admin = await connect(this.#at.postgresAdmin);
    await work(admin.client);
  }
}

/** A connection that ends with its block. */
export async function connect(
  connectionString: string,
): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
