import { BSON } from 'mongodb';
import { SourceUnavailable } from '../changes/change-reader.js';
import type { Key, Put } from '../sinks/compaction.js';
import { ValueFault } from '../values/value.fault.js';
import { PageSize } from './page-size.js';
import type { SourceRows } from './rows.js';

/** About as many bytes of rows are held for one transaction. */
export const MOST_BYTES = 32 * 1_024 * 1_024;

/** The same succeeds with fewer keys. */
export class RowsTooLarge extends Error {
  readonly code = 'ROWS_TOO_LARGE';
  /** Not with as many. */
  readonly canRetry = false;

  constructor(keys: number) {
    super(`the rows of ${keys} keys come to more than ${MOST_BYTES / 1_024 / 1_024} MB`);
  }
}

/**
 * Those of the keys that the source has now, in memory that does not grow with its rows: a single row comes whatever
 * its size.
 * @throws RowsTooLarge
 * @throws ValueFault where the source's own row has a value that the target cannot hold
 * @throws SourceUnavailable for whatever else `read` throws: it says nothing of the rows
 */
export async function readWithin(source: Pick<SourceRows, 'read'>, keys: readonly Key[]): Promise<Put[]> {
  const found: Put[] = [];
  const size = new PageSize();
  let bytes = 0;
  for (let from = 0; from < keys.length; ) {
    const asked = keys.slice(from, from + size.rows);
    const puts = await read(source, asked);
    const came = puts.reduce((sum, put) => sum + bytesOf(put), 0);
    size.came(asked.length, came); // those that are gone, too: each read costs, and some read all
    bytes += came;
    if (bytes > MOST_BYTES && keys.length > 1) throw new RowsTooLarge(keys.length);
    found.push(...puts);
    from += asked.length;
  }
  return found;
}

async function read(source: Pick<SourceRows, 'read'>, keys: readonly Key[]): Promise<readonly Put[]> {
  try {
    return await source.read(keys);
  } catch (cause) {
    if (cause instanceof ValueFault || cause instanceof SourceUnavailable) throw cause;
    throw new SourceUnavailable(`the source could not be read: ${(cause as Error).message}`, { cause });
  }
}

/** 0 of a document with a field `_bsontype` of its own, which is for the sink to refuse. */
export function bytesOf({ fields }: Put): number {
  try {
    return BSON.calculateObjectSize(fields);
  } catch {
    return 0;
  }
}
