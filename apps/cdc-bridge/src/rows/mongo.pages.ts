import type { Collection, Document, Filter, FindOptions } from 'mongodb';
import type { BsonDocument } from '../values/bson-value.js';
import { documentOf, RAW_READS } from '../values/raw-document.js';

const PAGE = 500;
const PAGE_BYTES = 8 * 1_024 * 1_024;

/**
 * The documents of a collection, in pages of bounded size; each answer of the server within its client's
 * `socketTimeoutMS`.
 * @param filter none for every document
 * @param options which of their fields; all without it
 */
export async function* pagesOf(
  collection: Collection,
  signal: AbortSignal,
  filter: Filter<Document> = {},
  options: Pick<FindOptions, 'projection'> = {},
): AsyncGenerator<BsonDocument[]> {
  await using cursor = collection.find(filter, {
    batchSize: PAGE,
    readConcern: 'majority',
    ...options,
    ...RAW_READS,
  });
  let page: BsonDocument[] = [];
  let bytes = 0;
  for await (const raw of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>) {
    signal.throwIfAborted();
    page.push(documentOf(raw));
    bytes += raw.byteLength;
    if (page.length < PAGE && bytes < PAGE_BYTES) continue;
    yield page;
    page = [];
    bytes = 0;
  }
  if (page.length > 0) yield page;
}
