import { Binary, ObjectId } from 'mongodb';
import type { BsonValue } from '../values/bson-value.js';
import { canonicalText } from '../values/canonical.js';
import { canonicalDecimal } from '../values/decimal.js';
import { parseInstant } from './instant.js';

export type Scalar = string | number | boolean | null;
export type Where = Readonly<Record<string, Scalar | readonly Scalar[]>>;

type Wanted = Scalar | BsonValue;

/** Which rows flow: those whose every named field has the value that `where` names, or one of them. */
export class RowFilter {
  readonly fields: readonly string[];
  readonly #wanted: ReadonlyMap<string, readonly Wanted[]>;

  /** @param where a field's value, or a list of them; see `filterValues` for those of a table */
  constructor(where: Where | Readonly<Record<string, readonly BsonValue[]>> = {}) {
    this.fields = Object.keys(where);
    this.#wanted = new Map(
      Object.entries(where).map(([field, wanted]) => [
        field,
        Array.isArray(wanted) ? (wanted as readonly Wanted[]) : [wanted as Wanted],
      ]),
    );
  }

  /**
   * @param read a field's value, undefined where nobody knows it now
   * @returns undefined where the answer depends on such a field
   */
  matches(read: (field: string) => BsonValue | undefined): boolean | undefined {
    let known = true;
    for (const [field, wanted] of this.#wanted) {
      const value = read(field);
      if (value === undefined) known = false;
      else if (!wanted.some((scalar) => isEqual(value, scalar))) return false;
    }
    return known ? true : undefined;
  }
}

/** Numbers are equal whatever their type; an ObjectId and a UUID equal their text, and a Date every text of it. */
function isEqual(value: BsonValue, wanted: Wanted): boolean {
  if (wanted === null || typeof wanted === 'boolean') return value === wanted;
  if (typeof wanted !== 'string') {
    const isNumber = canonicalText(wanted).startsWith('n');
    const own = isNumber && typeof value === 'string' ? `n${canonicalDecimal(value)}` : canonicalText(value);
    return own === canonicalText(wanted);
  }
  if (value instanceof ObjectId) return value.toHexString() === wanted.toLowerCase();
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) {
    return value.toUUID().toHexString() === wanted.toLowerCase();
  }
  if (value instanceof Date) {
    const instant = parseInstant(wanted);
    return instant?.isWhole === true && instant.ms === value.getTime();
  }
  return value === wanted;
}
