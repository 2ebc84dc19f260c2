import { randomBytes } from 'node:crypto';
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import pg from 'pg';
import { sessionOptions } from '../postgres/session.js';

/** The superusers' URLs, for making databases. */
export interface AdminUrls {
  readonly postgresAdmin: string;
  readonly mongoAdmin: string;
}

type Role = 'owner' | 'app' | 'bridge';

/**
 * A Postgres and a MongoDB database of a test's own, with a role each for the owner, the application and the
 * bridge, none of them a superuser. Disposing closes every connection and removes both.
 */
export class Databases implements AsyncDisposable {
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly endpoints: AdminUrls,
    readonly name: string,
  ) {}

  static async create(endpoints: AdminUrls): Promise<Databases> {
    const databases = new Databases(endpoints, `bridge_${randomBytes(5).toString('hex')}`);
    await databases.#createPostgres();
    await databases.#createMongo();
    return databases;
  }

  postgresUrl(role: Role): string {
    const url = new URL(this.endpoints.postgresAdmin);
    url.username = url.password = `${this.name}_${role}`;
    url.pathname = `/${this.name}`;
    return url.toString();
  }

  mongoUrl(role: Role): string {
    const url = new URL(this.endpoints.mongoAdmin);
    url.username = url.password = `${this.name}_${role}`;
    return url.toString();
  }

  /** A connected client with the session settings of the bridge. */
  async postgres(role: Role): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.postgresUrl(role), options: sessionOptions() });
    client.on('error', () => {}); // ended by the database: the test that did so will notice
    await client.connect();
    this.#closing.push(() => client.end());
    return client;
  }

  async mongo(role: Role, options: MongoClientOptions = {}): Promise<MongoClient> {
    const client = await MongoClient.connect(this.mongoUrl(role), { maxPoolSize: 8, ...options });
    this.#closing.push(() => client.close());
    return client;
  }

  /** The application's database. */
  async documents(role: Role): Promise<Db> {
    return (await this.mongo(role)).db(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#closing.map((close) => close()));
    await this.#asAdmin(async (admin) => {
      await admin.query(`drop database ${this.name} with (force)`);
      for (const role of ['owner', 'app', 'bridge']) await admin.query(`drop role ${this.name}_${role}`);
    });
    await using mongo = await MongoClient.connect(this.endpoints.mongoAdmin);
    for (const role of ['owner', 'app', 'bridge']) await mongo.db('admin').removeUser(`${this.name}_${role}`);
    await mongo.db(this.name).dropDatabase();
    await mongo.db(`${this.name}_bridge`).dropDatabase();
  }

  async #createPostgres(): Promise<void> {
    await this.#asAdmin(async (admin) => {
      for (const role of ['owner', 'app', 'bridge']) {
        await admin.query(`create role ${this.name}_${role} login password '${this.name}_${role}'`);
      }
      await admin.query(`create database ${this.name} owner ${this.name}_owner`);
    });
  }

  async #createMongo(): Promise<void> {
    await using mongo = await MongoClient.connect(this.endpoints.mongoAdmin);
    for (const role of ['owner', 'app', 'bridge'] as const) {
      const dbs = role === 'bridge' ? [this.name, `${this.name}_bridge`] : [this.name];
      await mongo.db('admin').command({
        createUser: `${this.name}_${role}`,
        pwd: `${this.name}_${role}`,
        roles: dbs.map((db) => ({ role: 'readWrite', db })),
      });
    }
  }

  async #asAdmin(work: (admin: pg.Client) => Promise<void>): Promise<void> {
    const admin = new pg.Client({ connectionString: this.endpoints.postgresAdmin });
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.end();
    }
  }
}
