import { lossesOf, stopsOf } from '../mapping/reports.js';
import { refuseUnknown } from '../mapping/unknown-columns.js';
import type { Column } from '../postgres/table-columns.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';
import { toBson } from '../values/postgres-to-bson.js';
import { baseType } from '../values/postgres-type.js';
import { ValueFault } from '../values/value.fault.js';
import { type KeyKind, KeyMapping } from './key.mapping.js';
import { type Image, ImageFields } from './pair.image.js';

/** A column and the top-level field that it is kept equal to. */
export interface MappedField {
  readonly column: Column;
  readonly name: string;
}

export interface MappingOptions {
  /** Column to field, where their names differ. */
  readonly rename: Readonly<Record<string, string>>;
  /** Columns that the pair leaves alone. */
  readonly drop: readonly string[];
  readonly key: KeyKind;
  readonly newest?: string | undefined;
}

/** How rows and documents of a pair stand for each other: the key for `_id`, and columns for fields. */
export class PairMapping {
  readonly key: KeyMapping;
  readonly fields: readonly MappedField[];
  /** All of the table, with those that the pair leaves alone. */
  readonly columns: readonly Column[];
  readonly #images: ImageFields;

  /** @throws Error that names the column which a pair cannot have */
  constructor(columns: readonly Column[], { rename, drop, key, newest }: MappingOptions) {
    this.key = new KeyMapping(columns, key);
    this.columns = columns;
    refuseUnknown('of the pair', columns, { rename, drop });
    const named = this.key.columns.find(({ name }) => Object.hasOwn(rename, name) || drop.includes(name));
    if (named) throw new Error(`${named.name} is part of the pair’s key: take it out of rename and drop`);
    this.fields = columns
      .filter(
        ({ name, keyPosition, generated }) => keyPosition === null && !generated && !drop.includes(name),
      )
      .map((column) => ({ column, name: fieldName(rename[column.name] ?? column.name) }));
    const names = this.fields.map(({ name }) => name);
    const repeated = names.find((name, i) => names.indexOf(name) !== i);
    if (repeated !== undefined) throw new Error(`two columns of the pair are both mapped to ${repeated}`);
    this.#images = new ImageFields(names, newest === undefined ? undefined : this.#timestampField(newest));
  }

  /** The mapped fields of a row, from the texts of its columns. */
  documentOf(texts: readonly (string | null)[]): BsonDocument {
    const document: BsonDocument = {};
    for (const [i, { column, name }] of this.fields.entries()) {
      setField(document, name, toBson(column.type, texts[i] ?? null, 'paired'));
    }
    return document;
  }

  image(document: BsonDocument | null): Image | null {
    return this.#images.imageOf(document);
  }

  /** The text that a column gets from a document; null where the field is null or missing. */
  textOf({ column, name }: MappedField, document: BsonDocument): string | null {
    const value: BsonValue = Object.hasOwn(document, name) ? (document[name] ?? null) : null;
    try {
      return toPostgres(column.type, value, 'paired');
    } catch (error) {
      if (error instanceof ValueFault)
        throw new ValueFault(`field ${name}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #timestampField(newest: string): string {
    const field = this.fields.find(({ column }) => column.name === newest);
    if (!field || !/^timestamp/.test(baseType(field.column.type).name)) {
      throw new Error(`newest: ${newest} is no timestamp column of the pair`);
    }
    return field.name;
  }
}

/** What cannot be kept exactly both ways, and what stops the pair, a sentence for each. */
export function reportsOf(table: string, { columns, key, fields }: PairMapping): string[] {
  const mapped = [...key.columns, ...fields.map(({ column }) => column)];
  return [...lossesOf(table, mapped, 'paired'), ...stopsOf(table, columns)];
}

function fieldName(name: string): string {
  if (name === '_id' || name === '' || name.startsWith('$') || /[.\0]/.test(name)) {
    throw new Error(`a pair can have no field ${JSON.stringify(name)}: rename or drop its column`);
  }
  return name;
}
