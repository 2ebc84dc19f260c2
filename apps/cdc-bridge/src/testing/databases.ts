import { randomBytes } from 'node:crypto';
import { type DatabaseUrls, eventually, mongoRoleFaults, postgresRoleFaults } from '@millrace/testing';
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import pg from 'pg';
import { sessionOptions } from '../postgres/session.js';

/** The superusers' URLs, for making databases. */
export interface AdminUrls {
  readonly postgresAdmin: string;
  readonly mongoAdmin: string;
}

const ROLES = ['owner', 'app', 'bridge', 'cdc'] as const;
export type Role = (typeof ROLES)[number];

/**
 * A Postgres and a MongoDB database of a test's own, with a role each for the owner, the application, the bridge
 * and change data capture, none of them a superuser. Disposing closes every connection, drops what replication
 * slots are left, and removes both; connectors must have been removed before.
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
    await databases.checkRoles().catch(async (error: unknown) => {
      await databases[Symbol.asyncDispose]();
      throw error;
    });
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
    return this.#connected({ connectionString: this.postgresUrl(role), options: sessionOptions() });
  }

  /** A superuser's client in the test's database, for what no role of it may do. */
  async superuser(): Promise<pg.Client> {
    const url = new URL(this.endpoints.postgresAdmin);
    url.pathname = `/${this.name}`;
    return this.#connected({ connectionString: url.toString() });
  }

  async #connected(config: pg.ClientConfig): Promise<pg.Client> {
    const client = new pg.Client(config);
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

  /** @throws Error where two of the roles are one, or one of them may do more than it needs. */
  async checkRoles(): Promise<void> {
    const own = [this.name, `${this.name}_bridge`];
    const faults = [
      ...(await postgresRoleFaults(this.#urls((role) => this.postgresUrl(role)))),
      ...(await mongoRoleFaults(
        this.#urls((role) => this.mongoUrl(role)),
        own,
      )),
    ];
    if (faults.length > 0) throw new Error(`the tests' database roles: ${faults.join('; ')}`);
  }

  /** As somebody might who needs the disk. */
  async dropSlots(): Promise<void> {
    await this.#asAdmin((admin) => dropSlots(admin, this.name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#closing.map((close) => close()));
    await this.#asAdmin(async (admin) => {
      await dropSlots(admin, this.name);
      await admin.query(`drop database ${this.name} with (force)`);
      for (const role of ROLES) await admin.query(`drop role ${this.name}_${role}`);
    });
    await using mongo = await MongoClient.connect(this.endpoints.mongoAdmin);
    for (const role of ROLES) await mongo.db('admin').removeUser(`${this.name}_${role}`);
    await mongo.db(this.name).command({ dropAllRolesFromDatabase: 1 });
    await mongo.db(this.name).dropDatabase();
    await mongo.db(`${this.name}_bridge`).dropDatabase();
  }

  async #createPostgres(): Promise<void> {
    await this.#asAdmin(async (admin) => {
      for (const role of ROLES) {
        const attributes = role === 'cdc' ? 'login replication' : 'login';
        await admin.query(`create role ${this.name}_${role} ${attributes} password '${this.name}_${role}'`);
      }
      await admin.query(`create database ${this.name} owner ${this.name}_owner`);
    });
  }

  async #createMongo(): Promise<void> {
    await using mongo = await MongoClient.connect(this.endpoints.mongoAdmin);
    for (const name of ROLES) {
      const dbs = name === 'bridge' ? [this.name, `${this.name}_bridge`] : [this.name];
      const role = { owner: 'dbOwner', app: 'readWrite', bridge: 'readWrite', cdc: 'read' }[name];
      await mongo.db('admin').command({
        createUser: `${this.name}_${name}`,
        pwd: `${this.name}_${name}`,
        roles: dbs.map((db) => ({ role, db })),
      });
    }
  }

  #urls(of: (role: Role) => string): DatabaseUrls {
    return { owner: of('owner'), app: of('app'), bridge: of('bridge'), cdc: of('cdc') };
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

/** Those of a killed process too, which the server may hold for a moment. */
async function dropSlots(admin: pg.Client, database: string): Promise<void> {
  await admin.query(
    'select pg_terminate_backend(active_pid) from pg_replication_slots where database = $1 and active',
    [database],
  );
  await eventually('the slots to be free', 10_000, async () => {
    const { rows } = await admin.query<{ active: boolean }>(
      'select active from pg_replication_slots where database = $1',
      [database],
    );
    return rows.every(({ active }) => !active);
  });
  await admin.query(
    'select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1',
    [database],
  );
}
