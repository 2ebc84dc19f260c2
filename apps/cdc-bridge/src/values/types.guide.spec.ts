import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isTold } from '../changes/debezium-values.js';
import type { BsonValue } from './bson-value.js';
import { loss, type PostgresType } from './postgres-type.js';
import { DOCUMENT_CASES } from './testing/document.cases.js';
import { FIDELITY_CASES } from './testing/fidelity.cases.js';

const guide = readFileSync(new URL('../../../../docs/guides/types.md', import.meta.url), 'utf8');
/** What the guide calls by another name than BSON's library. */
const BSON_NAMES: Readonly<Record<string, string>> = {
  'regular expression': 'BSONRegExp',
  'code with and without scope': 'Code',
  symbol: 'BSONSymbol',
  'Binary of other subtypes': 'Binary',
};

const [, toMongo = '', toPostgres = '', ofDebezium = ''] = guide.split(/^## /m);
/** Of each type that the guide's first table names in code: what it says that its values become, and do not keep. */
const told = rowsOf(toMongo).flatMap(([types = '', becomes = '', lost = '']) =>
  typesIn(types).map((type) => ({ type: baseOf(type), declared: declaredOf(type), becomes, lost })),
);
/** Each kind of value that the second table names. */
const kinds = rowsOf(toPostgres)
  .flatMap(([names = '']) => names.split(', '))
  .filter((name) => !name.startsWith('subtype'))
  .map((name) => BSON_NAMES[name] ?? name);
/** Each type that the third table says no change tells. */
const untold = rowsOf(ofDebezium).flatMap(([types = '']) =>
  typesIn(types.replace('but `citext` and `hstore`', '')),
);

/** The cells of a table's rows, without its head. */
function rowsOf(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
      .slice(1),
  );
}

function typesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, type = '']) => type);
}

/** `numeric` of `numeric(p, s)`, by the name that the cases have. */
function baseOf(type: string): string {
  const name = type.replace(/\(.*\)/, '');
  return { real: 'float4', 'double precision': 'float8' }[name] ?? name;
}

/** `numeric(p, s)` and `timestamp(0…3)` with digits that they name; without any, as many as Postgres takes. */
function declaredOf(type: string): PostgresType {
  const isBounded = type.includes('(');
  const name = type === 'char(n)' ? 'bpchar' : baseOf(type);
  return { name, kind: 'base', ...(isBounded && { precision: 3, scale: 0 }) };
}

function kindOf(value: BsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'Date';
  const { _bsontype: kind } = Object(value) as { _bsontype?: string };
  return kind ?? { string: 'string', boolean: 'Boolean' }[typeof value as string] ?? 'document';
}

it('names some types and kinds of value', () => {
  expect(told.length).toBeGreaterThan(30);
  expect(kinds.length).toBeGreaterThan(15);
  expect(untold.length).toBeGreaterThan(20);
});

it.each(told)(
  'what the guide says of $type is among the cases that are proved: $becomes',
  ({ type, becomes }) => {
    const proved = FIDELITY_CASES.filter((row) => baseOf(row.type) === type).map(({ bson }) => kindOf(bson));
    expect(proved.some((kind) => becomes.startsWith(kind) || becomes.includes(` ${kind}`))).toBe(true);
  },
);

it.each(told)(
  'what the guide says that $type does not keep is told at start: $lost',
  ({ declared, lost }) => {
    expect(loss(declared, 'exact') !== null).toBe(lost !== '');
  },
);

it.each(kinds)('what the guide says of %s in Postgres is among the cases that are proved', (kind) => {
  expect(DOCUMENT_CASES.some(({ bson }) => kindOf(bson) === kind)).toBe(true);
});

it.each(untold)('%s is read again at the source, as the guide says', (type) => {
  const element = { name: baseOf(type.replace(/\[\]$|"/g, '')), kind: 'base' } as const;
  const isArray = type.endsWith('[]');
  expect(isTold(isArray ? { name: `_${element.name}`, kind: 'array', of: element } : element)).toBe(false);
});
