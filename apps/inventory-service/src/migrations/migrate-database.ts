import type { Collection, Db } from 'mongodb';
import type { Migration } from './migration.js';

interface MigrationRecord {
  /** The migration's version. */
  _id: number;
  name: string;
  appliedAt: Date;
}

/**
 * Applies what is missing, in order, and records each. Several may run at once: every step can run twice.
 *
 * @param db the database, as a role that owns it
 * @returns the names of the migrations applied now
 * @throws Error when the database was migrated by a newer release than this one
 */
export async function migrateDatabase(db: Db, migrations: readonly Migration[]): Promise<string[]> {
  const records: Collection<MigrationRecord> = db.collection('migrations');
  const newest = await records.findOne({}, { sort: { _id: -1 } });
  const applied = newest?._id ?? 0;
  const known = migrations.at(-1)?.version ?? 0;
  if (applied > known) {
    throw new Error(
      `database ${db.databaseName} is at migration ${applied}, this release knows ${known}: deploy a newer release`,
    );
  }
  const pending = migrations.filter(({ version }) => version > applied);
  for (const { version, name, run } of pending) {
    await run(db);
    await records.updateOne(
      { _id: version },
      { $setOnInsert: { name, appliedAt: new Date() } },
      { upsert: true },
    );
  }
  return pending.map(({ version, name }) => `${version} ${name}`);
}
