import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import { once } from './attempt.js';
import type { PairParts } from './pair.sync.js';

/** Is told of a document whose `_id` stands for no key of the table. */
export type Unmapped = (id: BsonValue, fault: ValueFault) => Promise<void> | void;

/** Every key that has a row or a document, once, in pages of bounded size. */
export async function* presentKeys(
  parts: PairParts,
  unmapped: Unmapped,
  attempt = once,
): AsyncGenerator<string[]> {
  const { pool, postgres, mongo, mapping } = parts;
  yield* postgres.everyRow(pool, attempt);
  for await (const ids of mongo.everyId(attempt)) {
    const keys: string[] = [];
    for (const id of ids) {
      try {
        keys.push(mapping.key.textOf(id));
      } catch (error) {
        if (!(error instanceof ValueFault)) throw error;
        await attempt(async () => unmapped(id, error));
      }
    }
    yield await attempt(() => postgres.withoutRow(pool, keys));
  }
}

/** Every key of which anything is known: besides, those that both sides may have lost since they were equal. */
export async function* everyKey(
  parts: PairParts,
  unmapped: Unmapped,
  attempt = once,
): AsyncGenerator<string[]> {
  const { pool, postgres, mongo } = parts;
  yield* presentKeys(parts, unmapped, attempt);
  for await (const keys of mongo.everyBase(attempt))
    yield await attempt(() => postgres.withoutRow(pool, keys));
}
