import { BSON } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Column, readColumns } from '../postgres/table-columns.js';
import { Databases } from '../testing/databases.js';
import { toPostgres } from './bson-to-postgres.js';
import { TYPED_READS } from './bson-value.js';
import { toBson } from './postgres-to-bson.js';
import { type Fidelity, readExpression, writeExpression } from './postgres-type.js';
import { CASE_TYPES, FIDELITY_CASES } from './testing/fidelity.cases.js';

let databases: Databases;
let client: Awaited<ReturnType<Databases['postgres']>>;
let documents: Awaited<ReturnType<Databases['documents']>>;
const columns = new Map<string, Column>();

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  client = await databases.postgres('owner');
  documents = await databases.documents('bridge');
  await client.query(CASE_TYPES);
  const types = [...new Set(FIDELITY_CASES.map(({ type }) => type))];
  await client.query(`create table cases (${types.map((type, i) => `c${i} ${type}`).join()})`);
  const found = await readColumns(client, { schema: 'public', table: 'cases' });
  for (const [i, type] of types.entries()) columns.set(type, found[i] as Column);
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
