import { type Binary, type Db, MongoServerError } from 'mongodb';

/** MongoDB's words for a change whose images together are larger than a document may be. */
const TOO_LARGE = /BSONObjectTooLarge|BSONObj size: \d+ .*is invalid/;
/** The collection's id in the resume token that MongoDB tells it by: a BinData of 16 bytes and subtype 4. */
const COLLECTION_ID = /_data: "[0-9A-F]*?5A1004([0-9A-F]{32})/;
/** One image of two that are too large together has at least half of what is allowed. */
const HALF_BYTES = 8 * 1_024 * 1_024;
const SCAN_MS = 10_000;
/** MongoDB's code for a statement that took longer than it may. */
const MAX_TIME_EXPIRED = 50;

/**
 * The captured collection that a fault is about which says only that a change is too large, with a document that may
 * be the one: `pages (_id "a")`. Where MongoDB does not tell which, those that have such a document.
 * @param scanMs how long each may be looked through for it
 */
export async function collectionsOfFault(
  db: Db,
  text: string,
  names: readonly string[],
  scanMs = SCAN_MS,
): Promise<string[]> {
  if (!TOO_LARGE.test(text)) return [];
  const told = await collectionOf(db, COLLECTION_ID.exec(text)?.[1]);
  if (told !== undefined && names.includes(told))
    return [(await withLargeDocument(db, told, scanMs)) ?? told];
  const found = await Promise.all(names.map((name) => withLargeDocument(db, name, scanMs)));
  return found.filter((name) => name !== null);
}

async function collectionOf(db: Db, id: string | undefined): Promise<string | undefined> {
  if (id === undefined) return undefined;
  const collections = await db.listCollections().toArray();
  const found = collections.find((each) => {
    const { uuid } = (each as { info?: { uuid?: Binary } }).info ?? {};
    return uuid && Buffer.from(uuid.buffer).toString('hex').toUpperCase() === id;
  });
  return found?.name;
}

/** Null where there is none, and where there are too many documents to look at: asking again would end the same way. */
async function withLargeDocument(db: Db, name: string, scanMs: number): Promise<string | null> {
  try {
    const document = await db
      .collection(name)
      .findOne(
        { $expr: { $gte: [{ $bsonSize: '$$ROOT' }, HALF_BYTES] } },
        { projection: { _id: 1 }, maxTimeMS: scanMs },
      );
    return document && `${name} (_id ${JSON.stringify(document._id)})`;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === MAX_TIME_EXPIRED) return null;
    throw error;
  }
}
