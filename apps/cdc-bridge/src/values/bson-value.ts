import type {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { ValueFault } from './value.fault.js';

/** A BSON value that keeps its type: numbers are never bare, so that 5 and 5.0 stay apart. */
export type BsonValue =
  | null
  | boolean
  | string
  | Date
  | Int32
  | Long
  | Double
  | Decimal128
  | Binary
  | ObjectId
  | Timestamp
  | BSONRegExp
  | BSONSymbol
  | Code
  | MinKey
  | MaxKey
  | BsonDocument
  | readonly BsonValue[];

export interface BsonDocument {
  [field: string]: BsonValue;
}

/** Read options of the MongoDB driver under which documents hold such values only. */
export const TYPED_READS = { promoteValues: false, promoteLongs: false, bsonRegExp: true } as const;

/** Sets a document's own field, also one named `__proto__`. */
export function setField(document: BsonDocument, name: string, value: BsonValue): void {
  Object.defineProperty(document, name, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * A date's milliseconds since the epoch.
 * @throws ValueFault where the driver made an invalid Date of a BSON date beyond JavaScript's range, so that
 * the value itself is lost
 */
export function instantOf(date: Date): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new ValueFault('a date outside ±275,760 years');
  return ms;
}
