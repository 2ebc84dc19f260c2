import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrateDatabase } from '../migrations/migrate-database.js';
import { readMigrations } from '../migrations/migration.js';

export const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

type Role = 'owner' | 'app' | 'cdc';

/** Where a stack's Postgres can be reached. */
interface Stack {
  readonly databases: { readonly postgresAdmin: string; readonly orders: Readonly<Record<Role, string>> };
}

/** An orders database of one test's own, dropped at the end. */
export class OrdersDatabase implements AsyncDisposable {
  private constructor(
    readonly name: string,
    private readonly admin: pg.Client,
    private readonly urls: Stack['databases']['orders'],
  ) {}

  static async create(stack: Stack): Promise<OrdersDatabase> {
    const admin = new pg.Client({
      connectionString: stack.databases.postgresAdmin,
      connectionTimeoutMillis: 10_000,
    });
    await admin.connect();
    const name = `orders_spec_${randomUUID().replaceAll('-', '')}`;
    await admin.query(`CREATE DATABASE ${name} OWNER ${new URL(stack.databases.orders.owner).username}`);
    // Far from UTC: a time that is written or read without its zone shows.
    await admin.query(`ALTER DATABASE ${name} SET timezone = 'Asia/Kathmandu'`);
    return new OrdersDatabase(name, admin, stack.databases.orders);
  }

  static async createMigrated(stack: Stack): Promise<OrdersDatabase> {
    const database = await OrdersDatabase.create(stack);
    await migrateDatabase(database.url('owner'), await readMigrations(MIGRATIONS));
    return database;
  }

  url(role: Role): string {
    const url = new URL(this.urls[role]);
    url.pathname = `/${this.name}`;
    return url.href;
  }

  /** Runs one query as one of the roles, on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(sql: string, params: unknown[] = [], role: Role = 'owner') {
    const client = new pg.Client({ connectionString: this.url(role), connectionTimeoutMillis: 10_000 });
    await client.connect();
    try {
      return (await client.query<Row>(sql, params)).rows;
    } finally {
      await client.end();
    }
  }

  /** Cuts the service's connections to this database, as a restart of Postgres does. @returns how many */
  async cutConnections(): Promise<number> {
    const { rowCount } = await this.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'order-service'`,
      [this.name],
    );
    return rowCount ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.query(`DROP DATABASE ${this.name} WITH (FORCE)`);
    await this.admin.end();
  }
}
