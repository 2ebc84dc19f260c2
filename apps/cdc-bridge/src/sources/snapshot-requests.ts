import type { Db } from 'mongodb';
import type { NamedDatabases } from '../databases/named-databases.js';
import { OWN_SCHEMA, SIGNALS_COLLECTION, SIGNALS_TABLE } from '../names/bridge-names.js';
import { quoteName } from '../postgres/identifier.js';
import { collectionSnapshots, type MongoSignal, tableSnapshots } from './snapshot-signal.js';
import { SourceRefused } from './source.error.js';
import type { Source } from './source.js';
import { unchunkedCollections } from './unchunked-collections.js';
import { unchunkedTables } from './unchunked-tables.js';

/**
 * Asks a source's connector to read a table or collection again, beside the changes that flow.
 * @param table `schema.table`, or the name of a collection
 * @throws SourceRefused where the source takes no such requests any more; what the database throws
 */
export async function requestSnapshot(
  databases: NamedDatabases,
  source: Source,
  table: string,
): Promise<void> {
  if (source.kind === 'postgres') {
    const { pool } = databases.postgres(source.name);
    for (const { id, type, data } of tableSnapshots([table], await unchunkedTables(pool, [table]))) {
      await pool.query(`insert into ${quoteName(OWN_SCHEMA)}.${SIGNALS_TABLE} values ($1, $2, $3)`, [
        id,
        type,
        JSON.stringify(data),
      ]);
    }
    return;
  }
  const { db } = databases.mongo(source.name);
  const name = `${db.databaseName}.${table}`;
  const unchunked = (await unchunkedCollections(db, [table])).map(() => name);
  await requireSignals(source.name, db);
  for (const { id, type, data } of collectionSnapshots([name], unchunked)) {
    await db.collection<MongoSignal>(SIGNALS_COLLECTION).insertOne({ _id: id, type, data });
  }
}

/** An insert would make the collection anew after it was dropped with the source's connector. */
async function requireSignals(database: string, db: Db): Promise<void> {
  const found = await db.listCollections({ name: SIGNALS_COLLECTION }, { nameOnly: true }).toArray();
  if (found.length === 0)
    throw new SourceRefused(database, [`${SIGNALS_COLLECTION} is not there: apply the pipelines again`]);
}
