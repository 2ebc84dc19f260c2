import { Double, Int32 } from 'mongodb';
import { expect, it } from 'vitest';
import type { BsonValue } from '../values/bson-value.js';
import { keyText } from './key-text.js';
import { column } from './testing/column.js';

const textOf = (type: string, value: BsonValue) => keyText([column('id', type, 1)], { id: value });

it.each<[string, BsonValue, BsonValue]>([
  ['jsonb', { b: new Int32(5), a: ['x', null] }, { a: ['x', null], b: new Double(5) }],
  ['timestamptz', '2026-01-31T13:00:00.5+01:00', '2026-01-31 12:00:00.500000+00'],
  ['timestamptz', '2026-01-31T12:00:00+0030', new Date('2026-01-31T11:30:00Z')],
  ['timestamptz', '2026-01-31T12:00:00.123456Z', '2026-01-31 14:00:00.123456+02'],
  ['timestamp', '2026-01-31T12:00:00', new Date('2026-01-31T12:00:00Z')],
  ['timestamp', '2026-01-31T12:00:00.5Z', '2026-01-31 12:00:00.5'],
  ['uuid', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
])('takes for one key of a %s what Postgres does: %j and %j', (type, one, other) => {
  expect(textOf(type, one)).toBe(textOf(type, other));
});

it.each<[string, BsonValue, BsonValue]>([
  ['jsonb', { a: '5' }, { a: new Int32(5) }],
  ['timestamp', '2026-01-30', '2026-01-31'],
  ['jsonb', { a: ['x', 'y'] }, { a: ['y', 'x'] }],
  ['timestamptz', '2026-01-31T12:00:00+01:00', '2026-01-31T12:00:00Z'],
  ['timestamptz', '2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00.123457Z'],
])('keeps apart what Postgres does, of a %s: %j and %j', (type, one, other) => {
  expect(textOf(type, one)).not.toBe(textOf(type, other));
});
