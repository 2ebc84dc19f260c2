import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { MIGRATIONS, OrdersDatabase } from '../spec-support/orders-database.js';
import { migrateDatabase } from './migrate-database.js';
import { type Migration, readMigrations } from './migration.js';

const made = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash('sha256').update(sql).digest('hex'),
});

describe('the migration runner', () => {
  let database: OrdersDatabase;
  beforeEach(async () => {
    database = await OrdersDatabase.create(inject('stack'));
  });
  afterEach(() => database[Symbol.asyncDispose]());

  const tables = async () => {
    const rows = await database.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };

  test('applies every migration once, also when two run at the same moment', async () => {
    const migrations = await readMigrations(MIGRATIONS);
    const url = database.url('owner');
    const applied = await Promise.all([migrateDatabase(url, migrations), migrateDatabase(url, migrations)]);

    expect(applied.flat()).toEqual(migrations.map(({ name }) => name));
    expect(await migrateDatabase(url, migrations)).toEqual([]);
    expect(await tables()).toEqual([
      '_prisma_migrations',
      'customers',
      'inbox',
      'order_history',
      'order_lines',
      'orders',
      'outbox',
    ]);
  });

  test("keeps Prisma's records: the SHA-256 of each file, finished in one step", async () => {
    const migrations = await readMigrations(MIGRATIONS);
    await migrateDatabase(database.url('owner'), migrations);

    const rows = await database.query<{ migration_name: string; checksum: string }>(
      `SELECT * FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
         AND applied_steps_count = 1 ORDER BY started_at`,
    );
    expect(rows.map((row) => row.migration_name)).toEqual(migrations.map(({ name }) => name));
    for (const { migration_name: name, checksum } of rows) {
      const file = await readFile(join(MIGRATIONS, name, 'migration.sql'));
      expect(checksum).toBe(createHash('sha256').update(file).digest('hex'));
    }
  });

  test('rolls a failed migration back whole, keeps those before it, and goes on from there', async () => {
    const url = database.url('owner');
    const good = made('1_good', 'CREATE TABLE good (id int)');
    const broken = made('2_broken', 'CREATE TABLE half (id int); SELECT 1 / 0;');

    await expect(migrateDatabase(url, [good, broken])).rejects.toThrow(/2_broken failed .* division by zero/);
    expect(await tables()).toEqual(['_prisma_migrations', 'good']);

    const mended = made('2_broken', 'CREATE TABLE half (id int)');
    expect(await migrateDatabase(url, [good, mended])).toEqual(['2_broken']);
  });

  test('refuses a file that was changed after it was applied', async () => {
    const url = database.url('owner');
    await migrateDatabase(url, [made('1_first', 'CREATE TABLE a (id int)')]);
    await expect(migrateDatabase(url, [made('1_first', 'CREATE TABLE b (id int)')])).rejects.toThrow(
      '1_first was changed after it was applied',
    );
  });
});

test('each role may do what it is there for, and no more', async () => {
  await using database = await OrdersDatabase.createMigrated(inject('stack'));
  const denied = /permission denied|must be owner/;

  await expect(database.query('SELECT * FROM outbox', [], 'cdc')).resolves.toEqual([]);
  await expect(database.query('SELECT * FROM orders', [], 'cdc')).rejects.toThrow(denied);
  await expect(database.query('DELETE FROM outbox', [], 'cdc')).rejects.toThrow(denied);
  await expect(database.query('DELETE FROM outbox', [], 'app')).resolves.toEqual([]);
  await expect(database.query('DELETE FROM orders', [], 'app')).rejects.toThrow(denied);
  await expect(database.query('DROP TABLE inbox', [], 'app')).rejects.toThrow(denied);
  await expect(database.query('UPDATE order_history SET changed = false', [], 'app')).rejects.toThrow(denied);
});

test('a customer can be made, changed and removed by the service, and has a credit limit of at least nothing', async () => {
  await using database = await OrdersDatabase.createMigrated(inject('stack'));
  const customer = `INSERT INTO customers (id, name, email, credit_limit) VALUES ('ada', 'Ada', 'ada@example.com', $1)`;

  await expect(database.query(customer, ['-0.0001'], 'app')).rejects.toThrow('customers_credit_limit_check');
  await expect(database.query(customer, ['NaN'], 'app')).rejects.toThrow('customers_credit_limit_check');
  await database.query(customer, ['250.5'], 'app');
  await database.query(`UPDATE customers SET name = 'Ada L.', updated_at = now()`, [], 'app');
  await expect(database.query('SELECT name, credit_limit FROM customers', [], 'app')).resolves.toEqual([
    { name: 'Ada L.', credit_limit: '250.5000' },
  ]);
  await database.query('DELETE FROM customers', [], 'app');
  await expect(database.query('SELECT * FROM customers', [], 'cdc')).rejects.toThrow('permission denied');
});

test('the connector is told of outbox inserts only', async () => {
  await using database = await OrdersDatabase.createMigrated(inject('stack'));
  const [publication] = await database.query(
    `SELECT pubinsert, pubupdate, pubdelete, pubtruncate,
       (SELECT array_agg(tablename::text) FROM pg_publication_tables WHERE pubname = 'orders_outbox') AS tables
     FROM pg_publication WHERE pubname = 'orders_outbox'`,
  );
  expect(publication).toEqual({
    pubinsert: true,
    pubupdate: false,
    pubdelete: false,
    pubtruncate: false,
    tables: ['outbox'],
  });
});
