import type { Db, Document } from 'mongodb';

/** Debezium 3.6 compiles these names as regular expressions, and looks for their own text where none matches. */
const PLAIN = /^[\p{L}\p{N}_. -]+$/u;

/** The types of `_id` that it reads in chunks. MongoDB compares only within one of these, so that a second one is missed. */
const CHUNKED: readonly (readonly string[])[] = [
  ['double', 'int', 'long', 'decimal'],
  ['string'],
  ['objectId'],
  ['binData'],
];

/** The collections that Debezium 3.6 cannot read in chunks, beside changes: odd names, and odd or mixed types of `_id`. */
export async function unchunkedCollections(db: Db, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map(async (name) => ({ name, isChunked: PLAIN.test(name) && (await hasChunkedIds(db, name)) })),
  );
  return found.filter(({ isChunked }) => !isChunked).map(({ name }) => name);
}

async function hasChunkedIds(db: Db, name: string): Promise<boolean> {
  const [first] = await db
    .collection(name)
    .aggregate<{ type: string }>([
      { $sort: { _id: 1 } },
      { $limit: 1 },
      { $project: { _id: 0, type: { $type: '$_id' } } },
    ])
    .toArray();
  if (!first) return true;
  const alike = CHUNKED.find((types) => types.includes(first.type));
  if (!alike) return false;
  // Of binary data, a UUID alone; other subtypes sort among them, by their length first.
  const others: Document = alike.includes('binData')
    ? { $or: [{ _id: { $not: { $type: 'binData' } } }, { $expr: { $ne: [{ $binarySize: '$_id' }, 16] } }] }
    : { _id: { $not: { $type: [...alike] } } };
  return (await db.collection(name).findOne(others, { projection: { _id: 1 } })) === null;
}
