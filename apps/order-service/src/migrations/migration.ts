import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One folder of `prisma/migrations`. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file's bytes in hex, as Prisma records it. */
  readonly checksum: string;
}

/** A row of Prisma's own `_prisma_migrations`. */
export interface RecordedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** The database and the files disagree: nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Reads `<folder>/<name>/migration.sql` for every migration, in the order of their names. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(names.map((name) => readMigration(folder, name)));
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const bytes = await readFile(join(folder, name, 'migration.sql'));
  return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * The migrations still to apply.
 *
 * @throws MigrationError when an applied file was changed since, or when Prisma left one half done.
 */
export function pendingMigrations(
  migrations: readonly Migration[],
  recorded: readonly RecordedMigration[],
): Migration[] {
  const unfinished = recorded.find((record) => !record.finished);
  if (unfinished) {
    throw new MigrationError(
      `migration ${unfinished.name} was begun by another tool and did not finish: mend the database, ` +
        `then run \`prisma migrate resolve --applied ${unfinished.name}\` (or --rolled-back)`,
    );
  }
  const checksums = new Map(recorded.map((record) => [record.name, record.checksum]));
  for (const { name, checksum } of migrations) {
    if ((checksums.get(name) ?? checksum) !== checksum) {
      throw new MigrationError(
        `migration ${name} was changed after it was applied: restore its file and put the change in a new migration`,
      );
    }
  }
  return migrations.filter(({ name }) => !checksums.has(name));
}
