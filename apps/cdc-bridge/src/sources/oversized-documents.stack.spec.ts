import { Binary, type Db } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { collectionsOfFault } from './oversized-documents.js';

const TOO_LARGE = 'error 10334 (BSONObjectTooLarge)';
const names = ['pages', 'many'];

let databases: Databases;
let documents: Db;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  documents = await databases.documents('app');
  await documents
    .collection('pages')
    .insertOne({ _id: 2 as never, body: new Binary(Buffer.alloc(9_000_000)) });
  await documents.collection('many').insertMany(Array.from({ length: 30_000 }, (_, n) => ({ n })));
});

afterAll(() => databases?.[Symbol.asyncDispose]());

/** With the resume token by which MongoDB tells the collection. */
async function told(name: string): Promise<string> {
  const [found] = await documents.listCollections({ name }).toArray();
  const { uuid } = (found as unknown as { info: { uuid: Binary } }).info;
  return `${TOO_LARGE} { _data: "825A1004${Buffer.from(uuid.buffer).toString('hex').toUpperCase()}46" }`;
}

it('names the collection, with a document that may be the one', async () => {
  expect(await collectionsOfFault(documents, TOO_LARGE, names)).toEqual(['pages (_id 2)']);
  expect(await collectionsOfFault(documents, await told('many'), names)).toEqual(['many']);
  expect(await collectionsOfFault(documents, 'another fault', names)).toEqual([]);
});

it('does without a document where there are too many to look at in time', async () => {
  expect(await collectionsOfFault(documents, await told('many'), names, 1)).toEqual(['many']);
  expect(await collectionsOfFault(documents, TOO_LARGE, ['many'], 1)).toEqual([]);
});
