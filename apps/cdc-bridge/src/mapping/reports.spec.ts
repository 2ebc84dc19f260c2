import { describe, expect, it } from 'vitest';
import type { Column } from '../postgres/table-columns.js';
import type { PostgresType } from '../values/postgres-type.js';
import { lossesInto, stopsOf } from './reports.js';
import { column } from './testing/column.js';

const base = (name: string, length?: number): PostgresType => ({
  name,
  kind: 'base',
  ...(length !== undefined && { length }),
});
const array = (of: PostgresType): PostgresType => ({ name: `_${of.name}`, kind: 'array', of });
const domain = (of: PostgresType): PostgresType => ({ name: 'own', kind: 'domain', of });
const required = (type: PostgresType, more: Partial<Column> = {}): Column => ({
  ...column('c', type.name),
  type,
  nullable: false,
  ...more,
});

const UNCHANGED =
  't.c: without REPLICA IDENTITY FULL, a large value that an update leaves alone stops the connector of its database';
const NULL = 't.c: a NULL in it stops the connector of its database';
const NULL_OR_TWO = 't.c: a NULL or a second dimension in it stops the connector of its database';
const NAN = 't.c: a NaN or an infinity in it stops the connector of its database';

describe('what stops the connector', () => {
  it.each<[string, PostgresType, string[]]>([
    ['double precision[]', array(base('float8')), [UNCHANGED]],
    ['an array of an enum', array({ name: 'text', kind: 'enum' }), [NULL, UNCHANGED]],
    ['an array of a domain', array(domain(base('text'))), [NULL_OR_TWO, UNCHANGED]],
    ['xid8[]', array(base('xid8')), [NULL_OR_TWO, UNCHANGED]],
    ['a domain over text[]', domain(array(base('text'))), [UNCHANGED]],
    ['a domain over a domain', domain(domain(array(base('int4')))), [UNCHANGED]],
    ['numeric[]', array(base('numeric')), [NAN, UNCHANGED]],
    [
      'numeric(10,2)[]',
      array({ ...base('numeric'), precision: 10, scale: 2 }),
      ['t.c: a NaN in it stops the connector of its database', UNCHANGED],
    ],
    ['varbit', base('varbit'), [UNCHANGED]],
    ['bit(3)[]', array(base('bit', 3)), ['t.c: any value stops the connector of its database']],
    ['box[]', array(base('box')), ['t.c: any value stops the connector of its database']],
    ['bit(3)', base('bit', 3), []],
    ['text[]', array(base('text')), []],
    ['interval[], which no record has', array(base('interval')), []],
    ['jsonb', base('jsonb'), []],
  ])('is told of %s that is NOT NULL', (_, type, told) => {
    expect(stopsOf('t', [required(type)])).toEqual(told);
  });

  it('is nothing where the column is nullable', () => {
    expect(stopsOf('t', [required(array(base('numeric')), { nullable: true })])).toEqual([]);
  });

  it('is no large value where every change has all of them', () => {
    expect(stopsOf('t', [required(array(base('numeric')), { inEveryChange: true })])).toEqual([NAN]);
  });
});

it('tells of each column what documents lose in it', () => {
  expect(lossesInto('t', [column('pairs', 'hstore'), column('tree', 'jsonb'), column('n', 'int4')])).toEqual([
    't: NULL stands for null and for a field that is missing',
    't.pairs: the order of fields is lost',
    't.tree: a number keeps its value, not its kind; the order of fields is lost',
  ]);
});
