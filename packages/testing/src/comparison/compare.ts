import type { Collection, Document } from 'mongodb';
import type { ClientBase, Pool } from 'pg';
import { fromBson, fromSql, type Kind, sqlText } from './conversions.js';

/** A column and the field that must equal it: `_id`, or a path with dots. */
export interface Compared {
  readonly column: string;
  readonly field: string;
  readonly kind: Kind;
}

/** Which rows and documents stand for each other. It says everything: nothing is looked up. */
export interface Comparison {
  /** As SQL writes it: `public.orders`. */
  readonly table: string;
  /** A condition in SQL, where not every row counts. */
  readonly where?: string;
  /** A query, where not every document counts. */
  readonly query?: Document;
  /** None where equal rows are to be counted. */
  readonly key: readonly Compared[];
  readonly fields: readonly Compared[];
  /** Which side may hold more than is listed. */
  readonly partly?: 'table' | 'collection' | 'both';
}

export interface Differences {
  readonly rows: number;
  readonly documents: number;
  /** Keys; without a key whole rows, as often as they are too few on the other side. */
  readonly onlyInTable: readonly string[];
  readonly onlyInCollection: readonly string[];
  readonly different: readonly string[];
}

/**
 * The tests' own comparison of a table with a collection, which knows nothing of the bridge: texts by SQL on one side,
 * the driver's values on the other. It reads everything into memory.
 * @throws Error where a row, or a document on its first level, holds what the comparison does not list
 */
export async function compareSides(
  postgres: ClientBase | Pool,
  collection: Collection,
  comparison: Comparison,
): Promise<Differences> {
  const rows = await readRows(postgres, comparison);
  const documents = await readDocuments(collection, comparison);
  const counts = { rows: rows.length, documents: documents.length };
  return { ...counts, ...(comparison.key.length === 0 ? byCount(rows, documents) : byKey(rows, documents)) };
}

/** A key and the fields, as comparable texts. */
type Side = readonly (readonly [key: string, fields: string])[];

async function readRows(
  postgres: ClientBase | Pool,
  { table, where, key, fields, partly }: Comparison,
): Promise<Side> {
  const all = [...key, ...fields];
  const texts = all.map(({ column, kind }) => sqlText(kind, `"${column.replaceAll('"', '""')}"`));
  const { rows } = await postgres.query<(string | null)[]>({
    text: `select ${texts.join(', ')} from ${table} where ${where ?? 'true'}`,
    rowMode: 'array',
  });
  if (partly !== 'table' && partly !== 'both') {
    const found = await postgres.query(`select * from ${table} limit 0`);
    refuseUnlisted(
      table,
      found.fields.map(({ name }) => name),
      all.map(({ column }) => column),
    );
  }
  return rows.map((row) =>
    split(
      all.map(({ kind }, i) => fromSql(kind, row[i] ?? null)),
      key.length,
    ),
  );
}

async function readDocuments(
  collection: Collection,
  { query, key, fields, partly }: Comparison,
): Promise<Side> {
  const all = [...key, ...fields];
  const documents = await collection
    .find(query ?? {}, { promoteValues: false, promoteLongs: false })
    .toArray();
  if (partly !== 'collection' && partly !== 'both') {
    const found = new Set(documents.flatMap((document) => Object.keys(document)));
    refuseUnlisted(
      collection.collectionName,
      [...found],
      ['_id', ...all.map(({ field }) => field.split('.', 1)[0] ?? field)],
    );
  }
  return documents.map((document) =>
    split(
      all.map(({ field, kind }) => fromBson(kind, at(document, field))),
      key.length,
    ),
  );
}

function refuseUnlisted(where: string, found: readonly string[], listed: readonly string[]): void {
  const unlisted = found.filter((name) => !listed.includes(name));
  if (unlisted.length > 0) throw new Error(`${where} has what the comparison does not list: ${unlisted}`);
}

function split(texts: readonly string[], keys: number): readonly [string, string] {
  return [JSON.stringify(texts.slice(0, keys)), JSON.stringify(texts.slice(keys))];
}

function at(document: Document, path: string): unknown {
  let value: unknown = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Document)[name];
  }
  return value;
}

function byKey(rows: Side, documents: Side): Omit<Differences, 'rows' | 'documents'> {
  const [table, collection] = [new Map(rows), new Map(documents)];
  if (table.size !== rows.length) throw new Error('the key of the comparison is no key of the table');
  if (collection.size !== documents.length)
    throw new Error('the key of the comparison is no key of the collection');
  const inTable = [...table.keys()];
  return {
    onlyInTable: inTable.filter((key) => !collection.has(key)).sort(),
    onlyInCollection: [...collection.keys()].filter((key) => !table.has(key)).sort(),
    different: inTable.filter((key) => collection.has(key) && collection.get(key) !== table.get(key)).sort(),
  };
}

function byCount(rows: Side, documents: Side): Omit<Differences, 'rows' | 'documents'> {
  const lacking = new Map<string, number>();
  for (const [, row] of rows) lacking.set(row, (lacking.get(row) ?? 0) + 1);
  for (const [, row] of documents) lacking.set(row, (lacking.get(row) ?? 0) - 1);
  const times = (sign: number) =>
    [...lacking].flatMap(([row, n]) => Array<string>(Math.max(0, n * sign)).fill(row)).sort();
  return { onlyInTable: times(1), onlyInCollection: times(-1), different: [] };
}
