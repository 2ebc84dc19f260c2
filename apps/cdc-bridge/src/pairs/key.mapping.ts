import { ObjectId } from 'mongodb';
import { refuseKeyNames } from '../mapping/key-names.js';
import { quoteName } from '../postgres/identifier.js';
import { type Column, keyColumns } from '../postgres/table-columns.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';
import { canonicalText } from '../values/canonical.js';
import { toBson } from '../values/postgres-to-bson.js';
import { baseType, type PostgresType } from '../values/postgres-type.js';
import { unlessFault, ValueFault } from '../values/value.fault.js';

/** `native`: `_id` is the key as its type maps; `objectId`: an ObjectId for its hexadecimal text. */
export type KeyKind = 'native' | 'objectId';

/** Types whose equal values have one text, under any session's settings. */
const KEY_TYPES = new Set(['int2', 'int4', 'int8', 'text', 'varchar', 'uuid']);

const NO_KEY = 'this _id stands for no key of the table';

/**
 * A pair's key in its three forms: the primary key's columns, `_id`, and the key's text, by which ledger, base
 * and advisory lock know it: Postgres' `jsonb_build_array(column::text, …)::text`.
 */
export class KeyMapping {
  readonly columns: readonly Column[];

  /** @throws Error that names what the key cannot be */
  constructor(
    columns: readonly Column[],
    readonly kind: KeyKind,
  ) {
    this.columns = keyColumns(columns);
    if (this.columns.length === 0) throw new Error('a pair needs a table with a primary key');
    refuseKeyNames(this.columns.map(({ name }) => name));
    for (const { name, type } of this.columns) {
      if (KEY_TYPES.has(baseType(type).name)) continue;
      throw new Error(
        `the key column ${name} of type ${type.name} cannot be a pair’s: only ${[...KEY_TYPES].join(', ')}`,
      );
    }
    if (
      kind === 'objectId' &&
      (this.columns.length > 1 ||
        !/^(text|varchar)$/.test(baseType(this.columns[0]?.type ?? { name: '', kind: 'base' }).name))
    ) {
      throw new Error('key: objectId needs a primary key of one text column');
    }
  }

  /** The SQL expression of the key's text, for a row by this name. */
  expression(row: string): string {
    return `jsonb_build_array(${this.columns.map(({ name }) => `${row}.${quoteName(name)}::text`).join(', ')})::text`;
  }

  /** The texts of the key's columns. */
  parts(text: string): string[] {
    return JSON.parse(text) as string[];
  }

  /** @throws ValueFault for a text that is no ObjectId, with `objectId` */
  idOf(text: string): BsonValue {
    const parts = this.parts(text);
    const [only = ''] = parts;
    if (this.kind === 'objectId') {
      if (!/^[0-9a-f]{24}$/.test(only)) throw new ValueFault(`the key ${only} is no ObjectId`);
      return new ObjectId(only);
    }
    const values = this.columns.map(({ type }, i) => toBson(type, parts[i] ?? null, 'paired'));
    if (values.length === 1) return values[0] ?? null;
    const id: BsonDocument = {};
    for (const [i, { name }] of this.columns.entries()) setField(id, name, values[i] ?? null);
    return id;
  }

  /** Whether an `_id` can stand for the key. */
  hasId(text: string): boolean {
    return unlessFault(() => this.idOf(text)) !== undefined;
  }

  /** Whether the `_id` stands for a key of the table. */
  isKey(id: BsonValue): boolean {
    return unlessFault(() => this.textOf(id)) !== undefined;
  }

  /**
   * The text of the key that a document's `_id` stands for.
   * @throws ValueFault for an `_id` that stands for no key of the table
   */
  textOf(id: BsonValue): string {
    const parts = this.#partsOf(id);
    const text = `[${parts.map((part) => JSON.stringify(part)).join(', ')}]`;
    if (canonicalText(this.idOf(text)) !== canonicalText(id) || !this.#isOrdered(id)) {
      throw new ValueFault(NO_KEY);
    }
    return text;
  }

  #partsOf(id: BsonValue): string[] {
    if (this.kind === 'objectId') return [id instanceof ObjectId ? id.toHexString() : ''];
    if (this.columns.length === 1) return this.columns.map(({ type }) => partOf(type, id));
    const document = (id !== null && typeof id === 'object' ? id : {}) as BsonDocument;
    return this.columns.map(({ name, type }) =>
      partOf(type, Object.hasOwn(document, name) ? (document[name] ?? null) : null),
    );
  }

  /** To MongoDB the same fields in another order are another `_id`. */
  #isOrdered(id: BsonValue): boolean {
    if (this.columns.length === 1) return true;
    return Object.keys(id as object).every((name, i) => name === this.columns[i]?.name);
  }
}

/** A key has no null; and a uuid is a Binary, which a text is not, least of all one that is no uuid's. */
function partOf(type: PostgresType, value: BsonValue): string {
  const isText = baseType(type).name === 'uuid' && typeof value === 'string';
  const part = isText ? null : toPostgres(type, value, 'paired');
  if (part === null) throw new ValueFault(NO_KEY);
  return part;
}
