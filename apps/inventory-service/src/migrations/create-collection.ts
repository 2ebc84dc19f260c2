import { type Db, type Document, MongoServerError } from 'mongodb';

const NAMESPACE_EXISTS = 48;

/** Makes a collection that refuses what has not its form, or gives that form to the one that is there. */
export async function createCollection(db: Db, name: string, validator: Document): Promise<void> {
  try {
    await db.createCollection(name, { validator });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
    await db.command({ collMod: name, validator });
  }
}
