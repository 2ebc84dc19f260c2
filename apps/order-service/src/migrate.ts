import { fileURLToPath } from 'node:url';
import { migrateDatabase } from './migrations/migrate-database.js';
import { readMigrations } from './migrations/migration.js';

const MIGRATIONS = fileURLToPath(new URL('../prisma/migrations', import.meta.url));

try {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error('DATABASE_URL is missing: give the URL of the orders database, as its owner');
  const applied = await migrateDatabase(url, await readMigrations(MIGRATIONS));
  console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply');
} catch (error) {
  console.error(`order-service migrate: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
