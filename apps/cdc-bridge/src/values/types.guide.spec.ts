import { readFileSync } from 'node:fs';
import { Binary, Decimal128, Double, Int32, Long } from 'mongodb';
import { expect, it } from 'vitest';
import type { BsonValue } from './bson-value.js';
import { FIDELITY_CASES } from './testing/fidelity.cases.js';

const guide = readFileSync(new URL('../../../../docs/guides/types.md', import.meta.url), 'utf8');
const [, toMongo = ''] = guide.split(/^## /m);
/** Of each type that the guide's first table names in code: what it says that its values become. */
const told = toMongo
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .slice(2)
  .flatMap(([, types = '', becomes = '']) =>
    [...types.matchAll(/`([^`]+)`/g)].map(([, type = '']) => ({ type: baseOf(type), becomes })),
  );

/** `numeric` of `numeric(p, s)`, by the name that the cases have. */
function baseOf(type: string): string {
  const name = type.replace(/\(.*\)/, '');
  return { real: 'float4', 'double precision': 'float8' }[name] ?? name;
}

function kindOf(value: BsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'Date';
  const kinds = { Int32, Long, Double, Decimal128, Binary };
  const found = Object.entries(kinds).find(([, kind]) => value instanceof kind)?.[0];
  if (found) return found;
  return { string: 'string', boolean: 'Boolean' }[typeof value as string] ?? 'document';
}

it('names some thirty types', () => {
  expect(told.length).toBeGreaterThan(30);
});

it.each(told)(
  'what the guide says of $type is among the cases that are proved: $becomes',
  ({ type, becomes }) => {
    const kinds = FIDELITY_CASES.filter((row) => baseOf(row.type) === type).map(({ bson }) => kindOf(bson));
    expect(kinds.some((kind) => becomes.startsWith(kind) || becomes.includes(` ${kind}`))).toBe(true);
  },
);
