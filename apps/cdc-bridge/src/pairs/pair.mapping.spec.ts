import { expect, it } from 'vitest';
import { column } from '../mapping/testing/column.js';
import type { Column } from '../postgres/table-columns.js';
import { type MappingOptions, PairMapping, reportsOf } from './pair.mapping.js';

const ID = column('id', 'int4', 1);
const SEEN = column('seen', 'timestamptz');

const mapping = (columns: readonly Column[], options: Partial<MappingOptions> = {}) =>
  new PairMapping(columns, { rename: {}, drop: [], key: 'native', ...options });

it.each<[string, readonly Column[], Partial<MappingOptions>, string]>([
  ['no primary key', [SEEN], {}, 'a pair needs a table with a primary key'],
  ['a key that BSON compares otherwise', [column('id', 'numeric', 1)], {}, 'numeric'],
  [
    'an ObjectId for a number',
    [ID],
    { key: 'objectId' },
    'key: objectId needs a primary key of one text column',
  ],
  [
    'a column that no field can be named after',
    [ID, column('a.b', 'text')],
    {},
    'a pair can have no field "a.b"',
  ],
  ['a column that an operator would be', [ID, column('$set', 'text')], {}, 'a pair can have no field "$set"'],
  [
    'two columns for one field',
    [ID, SEEN, column('at', 'text')],
    { rename: { seen: 'at' } },
    'both mapped to at',
  ],
  ['a renamed key', [ID], { rename: { id: 'key' } }, 'id is part of the pair’s key'],
  ['newest of no timestamp', [ID, column('n', 'int4')], { newest: 'n' }, 'newest: n is no timestamp column'],
  ['newest of no column', [ID], { newest: 'gone' }, 'newest: gone is no timestamp column'],
])('refuses %s by name', (_, columns, options, message) => {
  expect(() => mapping(columns, options)).toThrow(message);
});

it('takes by another name what no field can be named after', () => {
  const { fields } = mapping([ID, column('a.b', 'text'), column('$c', 'text'), SEEN], {
    rename: { 'a.b': 'ab' },
    drop: ['$c'],
  });
  expect(fields.map(({ name }) => name)).toEqual(['ab', 'seen']);
});

it('tells what is lost of the columns that it has, and what stops it of those too that it leaves alone', () => {
  const numbers: Column = {
    ...column('numbers', 'numeric[]'),
    type: { name: '_numeric', kind: 'array', of: { name: 'numeric', kind: 'base' } },
    nullable: false,
    inEveryChange: true,
  };
  const columns = [ID, column('code', 'bpchar'), column('left', 'bpchar'), numbers];
  expect(reportsOf('t', mapping(columns, { drop: ['left', 'numbers'] }))).toEqual([
    't.code: trailing blanks are lost, as in every comparison of the type',
    't.numbers: a NaN or an infinity in it stops the connector of its database',
  ]);
});
