import type { MongoToPostgres } from '../pipelines/pipeline.schema.js';
import { type Column, keyColumns } from '../postgres/table-columns.js';
import type { Delete, Key, Put } from '../sinks/compaction.js';
import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';
import { baseType } from '../values/postgres-type.js';
import { ValueFault } from '../values/value.fault.js';
import { DELETED_AT, Deletions } from './deletions.js';
import { type Path, valueAt, without } from './document-path.js';
import { keyText } from './key-text.js';
import { RowFilter } from './row-filter.js';
import { pathOf } from './target-table.js';

interface MappedPath {
  readonly column: Column;
  readonly path: Path;
}

/** How the documents of a collection stand as rows. */
export class CollectionMapping {
  /** The columns of the target's key, in its order, and where in a document they come from. */
  readonly key: readonly MappedPath[];
  /** Every column that is written, in the table's order. */
  readonly columns: readonly Column[];
  readonly deletions: Deletions;
  readonly #paths: readonly MappedPath[];
  readonly #rest: string | undefined;
  readonly #filter: RowFilter;

  /**
   * @param known the target's columns
   * @throws Error that names what the target lacks, or a column of its key that does not come from `_id`
   */
  constructor(known: readonly Column[], { to, columns, rest, where, deletes }: MongoToPostgres) {
    const find = (name: string): Column => {
      const column = known.find((candidate) => candidate.name === name);
      if (!column)
        throw new Error(
          `the table ${to.table} has no column ${name}, which columns or rest name; it has ${known.map((each) => each.name).join(', ')}`,
        );
      if (column.generated)
        throw new Error(`the column ${name} of ${to.table} is generated: nothing can be mapped to it`);
      return column;
    };
    this.#paths = Object.entries(columns).map(([name, declared]) => ({
      column: find(name),
      path: pathOf(declared).path,
    }));
    this.#rest = rest === undefined ? undefined : jsonColumn(find(rest), to.table).name;
    const written = new Set([
      ...Object.keys(columns),
      ...(rest === undefined ? [] : [rest]),
      ...(deletes === 'mark' ? [markColumn(find(DELETED_AT), columns, to.table).name] : []),
    ]);
    this.columns = known.filter(({ name }) => written.has(name));
    this.key = requiredKey(known, to.table).map((column) => {
      const mapped = this.#paths.find((path) => path.column === column);
      if (!mapped) throw new Error(`nothing is mapped to ${column.name}, part of the key of ${to.table}`);
      if (mapped.path[0] === '_id') return mapped;
      throw new Error(
        `${column.name} is part of the key of ${to.table} and must come from _id or below it, not from ${mapped.path.join('.')}: a deletion tells nothing else`,
      );
    });
    this.#filter = new RowFilter(where);
    const others = this.columns.filter(
      ({ keyPosition, name }) => keyPosition === null && name !== DELETED_AT,
    );
    this.deletions = new Deletions(deletes, () => others.map(({ name }) => name));
  }

  matches(document: BsonDocument): boolean {
    return this.#filter.matches((path) => valueAt(document, path.split('.')) ?? null) !== false;
  }

  /** @throws ValueFault for an `_id` that can be no key of the table */
  keyOf(id: BsonValue): Key {
    const document: BsonDocument = { _id: id };
    const fields: BsonDocument = {};
    for (const { column, path } of this.key) {
      const value = valueAt(document, path) ?? null;
      if (value === null) throw new ValueFault(`this _id has nothing for ${column.name}, part of the key`);
      refuseSpelling(column, value);
      setField(fields, column.name, value);
    }
    return {
      text: keyText(
        this.key.map(({ column }) => column),
        fields,
      ),
      fields,
    };
  }

  /** @throws ValueFault for an `_id` that can be no key of the table */
  put(document: BsonDocument): Put {
    const key = this.keyOf(document._id ?? null);
    const fields: BsonDocument = {};
    for (const { column, path } of this.#paths)
      setField(fields, column.name, valueAt(document, path) ?? null);
    if (this.#rest !== undefined)
      setField(
        fields,
        this.#rest,
        without(
          document,
          this.#paths.map(({ path }) => path),
        ),
      );
    Object.assign(fields, this.deletions.ofLiving);
    return { kind: 'put', key, fields, omitted: [], isNew: false };
  }

  /** A document of which only the source can tell what it holds now. */
  unknown(id: BsonValue): Put {
    const key = this.keyOf(id);
    const others = this.columns.filter(({ keyPosition }) => keyPosition === null);
    const omitted = [...others.map(({ name }) => name), ...this.#filter.fields];
    return { kind: 'put', key, fields: key.fields, omitted, isNew: true };
  }

  gone(id: BsonValue, at: Date): Delete | Put | null {
    return this.deletions.gone(this.keyOf(id), at);
  }
}

const UUID = /^[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}$/i;

/**
 * A document is found by the key of its row, which tells not in what way its `_id` was written: those that cannot all be
 * tried, and that would be looked for in the whole collection, are none.
 */
function refuseSpelling({ name, type: declared }: Column, value: BsonValue): void {
  if (typeof value !== 'string') return;
  const type = baseType(declared).name;
  const refuse = (fix: string) => {
    throw new ValueFault(
      `${name} is part of the key, and ${JSON.stringify(value)} is not told by its row: ${fix}`,
    );
  };
  if (type === 'bpchar' && value.endsWith(' ')) refuse('leave out the blanks at the end');
  const isOneCase = value === value.toLowerCase() || value === value.toUpperCase();
  if (type === 'uuid' && !(isOneCase && UUID.test(value)))
    refuse('write all letters in one case, and four hyphens or none');
}

function requiredKey(known: readonly Column[], table: string): Column[] {
  const key = keyColumns(known);
  if (key.length === 0) throw new Error(`the table ${table} has no primary key`);
  return key;
}

function jsonColumn(column: Column, table: string): Column {
  if (baseType(column.type).name === 'jsonb') return column;
  throw new Error(`the column ${column.name} of ${table} is no jsonb: the rest of a document needs one`);
}

function markColumn(column: Column, columns: object, table: string): Column {
  if (Object.hasOwn(columns, DELETED_AT))
    throw new Error(`deletes: mark needs ${DELETED_AT} of ${table} for itself`);
  if (baseType(column.type).name === 'timestamptz') return column;
  throw new Error(`deletes: mark needs ${DELETED_AT} of ${table} to be a timestamptz`);
}
