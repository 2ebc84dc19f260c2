import type { ConsumedRecord } from '@millrace/messaging';
import type { Reading } from '../changes/change-reader.js';
import type { Route } from '../mapping/route.js';

/**
 * What a record says for a route's pipeline. A row that a snapshot read is nothing where the pipeline wants none.
 * @throws what `ChangeReader.read` throws; where its batch could not be read, why
 */
export async function readingOf(route: Route, record: ConsumedRecord): Promise<Reading> {
  if (record.unreadable) throw record.unreadable;
  const reading = await route.reader.read(record);
  const isUnwanted = reading.kind === 'change' && reading.isRead && route.pipeline.snapshot === 'never';
  return isUnwanted ? { kind: 'nothing' } : reading;
}
