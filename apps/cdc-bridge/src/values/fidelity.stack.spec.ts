import { BSON } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Column, readColumns } from '../postgres/table-columns.js';
import { isRefused } from '../rows/postgres.table.js';
import { Databases } from '../testing/databases.js';
import { toPostgres } from './bson-to-postgres.js';
import { type BsonValue, TYPED_READS } from './bson-value.js';
import { toBson } from './postgres-to-bson.js';
import { type Fidelity, readExpression, writeExpression } from './postgres-type.js';
import { DOCUMENT_CASES } from './testing/document.cases.js';
import { CASE_TYPES, FIDELITY_CASES } from './testing/fidelity.cases.js';
import { ValueFault } from './value.fault.js';

let databases: Databases;
let client: Awaited<ReturnType<Databases['postgres']>>;
let documents: Awaited<ReturnType<Databases['documents']>>;
const columns = new Map<string, Column>();
const mappedColumns = new Map<string, Column>();

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  client = await databases.postgres('owner');
  documents = await databases.documents('bridge');
  await client.query(CASE_TYPES);
  const types = [...new Set(FIDELITY_CASES.map(({ type }) => type))];
  await client.query(`create table cases (${types.map((type, i) => `c${i} ${type}`).join()})`);
  const found = await readColumns(client, { schema: 'public', table: 'cases' });
  for (const [i, type] of types.entries()) columns.set(type, found[i] as Column);
  const mapped = [
    ...new Set(['json', 'jsonb', ...DOCUMENT_CASES.flatMap((each) => Object.keys(each.columns))]),
  ];
  await client.query(`create table mapped (${mapped.map((type, i) => `m${i} ${type}`).join()})`);
  const targets = await readColumns(client, { schema: 'public', table: 'mapped' });
  for (const [i, type] of mapped.entries()) mappedColumns.set(type, targets[i] as Column);
});

afterAll(() => databases?.[Symbol.asyncDispose]());

const rows = FIDELITY_CASES.flatMap((row) =>
  (row.fidelity ? [row.fidelity] : (['exact', 'paired'] as const)).map((fidelity) => ({ ...row, fidelity })),
);

describe('a value from Postgres to MongoDB and back', () => {
  it.each(rows)('keeps $type $literal ($fidelity)', async ({ type, literal, bson, fidelity }) => {
    const column = columns.get(type) as Column;
    const sent = await fromPostgres(column, literal, fidelity);
    expect(BSON.serialize({ v: sent })).toEqual(BSON.serialize({ v: bson }));

    const { insertedId } = await documents.collection('cases').insertOne({ v: sent });
    const stored = await documents.collection('cases').findOne({ _id: insertedId }, TYPED_READS);
    const text = toPostgres(column.type, stored?.v, fidelity);
    const back = writeExpression(column.type, column.castType, '$1::text');
    const image = (value: string) => readExpression(column.type, value);
    const { rows } = await client.query(
      `select ${image(`(${back})`)} = ${image(source(column, '$2'))} as same`,
      [text, literal],
    );
    expect(rows).toEqual([{ same: true }]);
  });

  it('keeps NULL', async () => {
    for (const column of columns.values()) {
      expect(toPostgres(column.type, toBson(column.type, null, 'exact'), 'exact')).toBeNull();
    }
  });
});

describe('a value from MongoDB to Postgres', () => {
  it.each(DOCUMENT_CASES)('is $json in jsonb, and in columns as they can hold it', async (row) => {
    const { insertedId } = await documents.collection('kinds').insertOne({ v: row.bson });
    const stored = (await documents.collection('kinds').findOne({ _id: insertedId }, TYPED_READS))?.v;
    const json = await written('jsonb', { v: stored, list: [stored] });
    expect(json).toBe(`{"v": ${row.json}, "list": [${row.json}]}`);
    const back = row.back ?? row.bson;
    const { type } = mappedColumns.get('jsonb') as Column;
    expect(BSON.serialize(toBson(type, json, 'paired') as BSON.Document)).toEqual(
      BSON.serialize({ v: back, list: [back] }),
    );

    const texts: Record<string, string | null> = {};
    for (const column of Object.keys(row.columns)) texts[column] = await written(column, stored);
    expect(texts).toEqual(row.columns);
  });

  it('has U+0000 in json only', async () => {
    for (const type of ['text', 'varchar(3)', 'jsonb']) expect(await written(type, 'a\0b')).toBeNull();
    expect(await written('json', 'a\0b')).toBe('"a\\u0000b"');
  });
});

/** What a column of the type has of a value, as Postgres prints it; null where it refuses it. */
async function written(type: string, value: BsonValue): Promise<string | null> {
  const { name, type: declared, castType } = mappedColumns.get(type) as Column;
  try {
    const { rows } = await client.query<{ text: string }>(
      `insert into mapped (${name}) values (${writeExpression(declared, castType, '$1::text')})
       returning ${readExpression(declared, name)} as text`,
      [toPostgres(declared, value, 'exact')],
    );
    return rows[0]?.text ?? null;
  } catch (error) {
    if (error instanceof ValueFault || isRefused(error)) return null;
    throw error;
  }
}

async function fromPostgres(column: Column, literal: string, fidelity: Fidelity) {
  const { rows } = await client.query<{ text: string }>(
    `select ${readExpression(column.type, source(column, '$1'))} as text`,
    [literal],
  );
  return toBson(column.type, rows[0]?.text ?? null, fidelity);
}

function source({ sqlType }: Column, literal: string): string {
  return `(${literal}::text::${sqlType})`;
}
