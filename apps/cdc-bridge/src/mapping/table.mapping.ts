import { createHash } from 'node:crypto';
import { isTold } from '../changes/debezium-values.js';
import type { PostgresToMongo } from '../pipelines/pipeline.schema.js';
import { type Column, keyColumns } from '../postgres/table-columns.js';
import type { Delete, Fields, Key, Put, Removal } from '../sinks/compaction.js';
import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';
import { canonicalText } from '../values/canonical.js';
import { exactText } from '../values/exact-text.js';
import { toBson } from '../values/postgres-to-bson.js';
import { ValueFault } from '../values/value.fault.js';
import { DELETED_AT, Deletions } from './deletions.js';
import { filterValues } from './filter-values.js';
import { refuseKeyNames } from './key-names.js';
import { RowFilter } from './row-filter.js';
import { refuseUnknown } from './unknown-columns.js';

/** The texts of a row's columns (`readExpression`); one that is missing is not known. */
export type RowTexts = ReadonlyMap<string, string | null>;

interface MappedColumn {
  readonly column: Column;
  readonly name: string;
}

/** How the rows of a table stand as documents. */
export class TableMapping {
  /** In their order within the primary key; none for a table without one. */
  readonly key: readonly Column[];
  /** The columns outside of the key that flow, and their fields. */
  readonly fields: readonly MappedColumn[];
  readonly deletions: Deletions;
  readonly #filter: RowFilter;
  readonly #filtered: readonly Column[];
  readonly #rename: Readonly<Record<string, string>>;

  /** @throws Error that names what of the pipeline the table does not have, or a document cannot have */
  constructor(
    readonly columns: readonly Column[],
    { from, rename, drop, where, deletes }: PostgresToMongo,
  ) {
    refuseUnknown(from.table, columns, { rename, drop, ...(where && { where }) });
    this.#rename = rename;
    this.key = keyColumns(columns);
    for (const { name } of this.key) {
      if (drop.includes(name))
        throw new Error(`${name} is part of the key of ${from.table}: it cannot be dropped`);
    }
    const [only] = this.key;
    if (this.key.length === 1 && only && this.#name(only) !== only.name && this.#name(only) !== '_id') {
      throw new Error(`the key ${only.name} of ${from.table} becomes _id: it cannot be renamed`);
    }
    if (this.key.length === 0 && deletes === 'mark') {
      throw new Error(`deletes: mark needs a primary key, and ${from.table} has none`);
    }
    this.fields = columns
      .filter(({ name, keyPosition }) => keyPosition === null && !drop.includes(name))
      .map((column) => ({ column, name: this.#name(column) }));
    this.#refuseUntold(from.table);
    this.#refuseNames(deletes === 'mark');
    refuseKeyNames(this.key.map((column) => this.#name(column)));
    this.#filter = new RowFilter(filterValues(columns, where ?? {}));
    this.#filtered = columns.filter(({ name }) => this.#filter.fields.includes(name));
    this.deletions = new Deletions(deletes, () => this.fields.map(({ name }) => name));
  }

  get isKeyless(): boolean {
    return this.key.length === 0;
  }

  /** Whether the filter lets a row through; undefined where that depends on a column that is not known. */
  matches(texts: RowTexts): boolean | undefined {
    const values = new Map(this.#filtered.map((column) => [column.name, this.#try(column, texts)]));
    return this.#filter.matches((name) => {
      const value = values.get(name);
      return value instanceof ValueFault ? undefined : value;
    });
  }

  /** @throws ValueFault where a column of the key is not known, or cannot be a document's key */
  keyOf(texts: RowTexts): Key {
    const values = this.key.map((column): [string, BsonValue] => {
      const value = this.#value(column, texts);
      if (value === undefined || value === null)
        throw new ValueFault(`the key column ${column.name} has no value`);
      return [this.#name(column), value];
    });
    return keyOf(values.length === 1 ? (values[0]?.[1] ?? null) : documentOf(values));
  }

  /**
   * A row as a document. A column that is not known is `omitted`, and so is one whose value no document can hold:
   * the source may have another by now.
   * @param isNew whether what is not known can only be read at the source
   * @throws ValueFault where a column of the key is not known, or cannot be a document's key
   */
  put(texts: RowTexts, isNew: boolean): Put {
    const key = this.keyOf(texts);
    const fields: BsonDocument = { ...key.fields, ...this.deletions.ofLiving };
    const omitted: string[] = [];
    let fault: ValueFault | undefined;
    for (const { column, name } of this.fields) {
      const value = this.#try(column, texts);
      if (value instanceof ValueFault) fault = value;
      if (value === undefined || value instanceof ValueFault) omitted.push(name);
      else setField(fields, name, value);
    }
    return {
      kind: 'put',
      key,
      fields,
      omitted,
      isNew: isNew || fault !== undefined,
      ...(fault && { fault }),
    };
  }

  /** A row of which only the source can tell whether and how it flows. */
  unknown(texts: RowTexts): Put {
    const key = this.keyOf(texts);
    const omitted = [...this.fields.map(({ name }) => name), ...this.#filter.fields];
    return { kind: 'put', key, fields: { ...key.fields, ...this.deletions.ofLiving }, omitted, isNew: true };
  }

  gone(texts: RowTexts, at: Date): Delete | Put | null {
    return this.deletions.gone(this.keyOf(texts), at);
  }

  /**
   * A row of a table without a key: its document's `_id` is the hash of what equal rows have in common, and what
   * tells this one from them.
   * @throws ValueFault where a column is not known
   */
  keylessPut(texts: RowTexts, at: string): Put {
    const fields: BsonDocument = {};
    for (const [name, value] of this.#whole(texts)) setField(fields, name, value);
    const row = rowHash(fields);
    const key = { text: `${row} ${at}`, fields: { _id: { row, at } } };
    const document: BsonDocument = { ...key.fields };
    Object.defineProperties(document, Object.getOwnPropertyDescriptors(fields));
    return { kind: 'put', key, fields: document, omitted: [], isNew: false };
  }

  /** @throws ValueFault where a column is not known */
  removal(texts: RowTexts): Removal {
    const fields: BsonDocument = {};
    for (const [name, value] of this.#whole(texts)) setField(fields, name, value);
    return { kind: 'removal', row: rowHash(fields) };
  }

  /** The values of the key's columns; null where no row of the table can have this `_id`. */
  partsOf(id: BsonValue): BsonValue[] | null {
    if (this.key.length === 1) return [id];
    if (id === null || typeof id !== 'object' || Object.getPrototypeOf(id) !== Object.prototype) return null;
    const names = this.key.map((column) => this.#name(column));
    const document = id as BsonDocument;
    if (Object.keys(document).join('\0') !== names.join('\0')) return null;
    return names.map((name) => document[name] ?? null);
  }

  /** What no change tells can be read at the source, by the key; nothing else finds a row there. */
  #refuseUntold(table: string): void {
    for (const { name, type } of this.key) {
      if (isTold(type)) continue;
      throw new Error(
        `${name} is part of the key of ${table}: no change tells a value of the type ${type.name}, so that none could be brought to its row`,
      );
    }
    const untold = this.isKeyless ? this.fields.find(({ column }) => !isTold(column.type)) : undefined;
    if (!untold) return;
    throw new Error(
      `${table} has no primary key, and no change tells a value of ${untold.column.name}, of the type ${untold.column.type.name}: give it a key, or drop the column`,
    );
  }

  #whole(texts: RowTexts): [string, BsonValue][] {
    return this.fields.map(({ column, name }) => {
      const value = this.#value(column, texts);
      if (value !== undefined) return [name, value];
      throw new ValueFault(
        `the change does not tell the column ${column.name}, and a table without a key cannot be asked for one row`,
      );
    });
  }

  #try(column: Column, texts: RowTexts): BsonValue | ValueFault | undefined {
    try {
      return this.#value(column, texts);
    } catch (error) {
      if (error instanceof ValueFault) return error;
      throw error;
    }
  }

  #value(column: Column, texts: RowTexts): BsonValue | undefined {
    const text = texts.get(column.name);
    if (text === undefined) return undefined;
    try {
      return toBson(column.type, text, 'exact');
    } catch (error) {
      // Decimal128 and JSON have faults of their own.
      throw new ValueFault(`column ${column.name}: ${(error as Error).message}`, { cause: error });
    }
  }

  #name({ name }: Column): string {
    return Object.hasOwn(this.#rename, name) ? (this.#rename[name] ?? name) : name;
  }

  #refuseNames(marks: boolean): void {
    const names = this.fields.map(({ name }) => name);
    const repeated = names.find((name, i) => names.indexOf(name) !== i);
    if (repeated !== undefined) throw new Error(`two columns would both be the field ${repeated}`);
    for (const name of names) {
      if (name === '_id') throw new Error('a column outside of the key would be _id: rename or drop it');
      if (marks && name === DELETED_AT)
        throw new Error(`deletes: mark needs ${DELETED_AT} for itself: rename the column`);
    }
  }
}

/** A key of a collection, by its `_id`. */
export function keyOf(_id: BsonValue): Key {
  return { text: canonicalText(_id), fields: { _id } };
}

/** One hash for all rows that are equal, as a comparison sees them; a field that is null counts as one that is missing. */
export function rowHash(fields: Fields): string {
  const texts = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, exactText(value)])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}

/** What the key of a row without one has in common with its equals. */
export function rowOfKey({ text }: Key): string {
  return text.split(' ', 1)[0] ?? text;
}

function documentOf(entries: readonly (readonly [string, BsonValue])[]): BsonDocument {
  const document: BsonDocument = {};
  for (const [name, value] of entries) setField(document, name, value);
  return document;
}
