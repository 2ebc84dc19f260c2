import { type ClientBase, escapeLiteral, type Pool } from 'pg';
import type { IntervalField, PostgresType } from '../values/postgres-type.js';
import { quoteTable, type TableName } from './identifier.js';

export interface Column {
  readonly name: string;
  readonly type: PostgresType;
  /** The type as SQL writes it, with its precision: `numeric(10,2)`. */
  readonly sqlType: string;
  /**
   * The type to cast a text to before it is assigned: without domain and precision, because an explicit cast
   * to `varchar(3)` cuts a longer text silently, and the assignment refuses it.
   */
  readonly castType: string;
  /** Not where its type is a domain that is NOT NULL. */
  readonly nullable: boolean;
  /** Whether its value is logged by an update that leaves it alone, however large: with REPLICA IDENTITY FULL. */
  readonly inEveryChange: boolean;
  /** Computed by Postgres, so never written. */
  readonly generated: boolean;
  /** Its place in the primary key, from 1; null outside of it. */
  readonly keyPosition: number | null;
}

export async function hasTable(client: ClientBase | Pool, table: TableName): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    quoteTable(table),
  ]);
  return rows[0]?.there ?? false;
}

/** The columns of the primary key, in its order; none where there is no key. */
export function keyColumns(columns: readonly Column[]): Column[] {
  return columns
    .filter(({ keyPosition }) => keyPosition !== null)
    .sort((a, b) => (a.keyPosition ?? 0) - (b.keyPosition ?? 0));
}

/** An SQL expression whose text is another when a column of the table came, went, or has become another. */
export function columnsState(table: TableName): string {
  return `(select md5(string_agg(format('%s %s %s %s %s %s', attnum, attname, atttypid, atttypmod, attnotnull, attgenerated), ',' order by attnum))
    from pg_attribute where attrelid = to_regclass(${escapeLiteral(quoteTable(table))}) and attnum > 0 and not attisdropped)`;
}

interface TypeRow {
  readonly name: string;
  readonly sqlType: string;
  readonly castType: string;
  readonly nullable: boolean;
  readonly inEveryChange: boolean;
  readonly generated: boolean;
  readonly keyPosition: number | null;
  readonly types: readonly { readonly name: string; readonly kind: string; readonly modifier: number }[];
}

/** Each column with the chain of its types: a domain leads to the type under it, an array to its element. */
const COLUMNS = `
with recursive chain as (
  select a.attnum, 0 as depth, a.atttypid as type, a.atttypmod as modifier
  from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
  union all
  select c.attnum, c.depth + 1, coalesce(nullif(t.typbasetype, 0), e.oid),
         case when t.typtype = 'd' then t.typtypmod else c.modifier end
  from chain c join pg_type t on t.oid = c.type left join pg_type e on e.typarray = t.oid
  where t.typtype = 'd' or e.oid is not null)
select a.attname as name, format_type(a.atttypid, a.atttypmod) as "sqlType",
       (select format_type(c.type, -1) from chain c join pg_type t on t.oid = c.type
        where c.attnum = a.attnum and t.typtype <> 'd' order by c.depth limit 1) as "castType",
       not (a.attnotnull or t.typnotnull) as nullable,
       (select bool_and(relreplident = 'f') from pg_class
        where oid = $1::regclass or oid in (select relid from pg_partition_tree($1::regclass) where isleaf)) as "inEveryChange",
       a.attgenerated <> '' as generated, array_position(i.indkey::int2[], a.attnum) + 1 as "keyPosition",
       (select json_agg(json_build_object('name', t.typname, 'modifier', c.modifier,
               'kind', case when t.typtype = 'b' and exists (select from pg_type e where e.typarray = t.oid)
                            then 'a' else t.typtype end) order by c.depth)
        from chain c join pg_type t on t.oid = c.type where c.attnum = a.attnum) as types
from pg_attribute a join pg_type t on t.oid = a.atttypid
left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum`;

/**
 * The columns of a table as Postgres' catalogue has them, in their order.
 * @throws DatabaseError 42P01 where there is no such table
 */
export async function readColumns(client: ClientBase | Pool, table: TableName): Promise<Column[]> {
  const { rows } = await client.query<TypeRow>(COLUMNS, [quoteTable(table)]);
  return rows.map(({ types, ...column }) => ({ ...column, type: typeOf(types) }));
}

const KINDS: Readonly<Record<string, PostgresType['kind']>> = {
  a: 'array',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'range',
  r: 'range',
};

function typeOf([first, ...rest]: TypeRow['types']): PostgresType {
  if (!first) throw new Error('a column without a type');
  return {
    name: first.name,
    kind: KINDS[first.kind] ?? 'base',
    ...(rest.length > 0 ? { of: typeOf(rest) } : modifiersOf(first.name, first.modifier)),
  };
}

/** Undoes `numerictypmodin` and its like (postgresql: src/backend/utils/adt/numeric.c, timestamp.c, varchar.c, varbit.c). */
function modifiersOf(name: string, modifier: number): Omit<PostgresType, 'name' | 'kind' | 'of'> {
  if (modifier < 0) return {};
  if (name === 'numeric') {
    const packed = modifier - 4;
    return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
  }
  if (name === 'varchar' || name === 'bpchar') return { length: modifier - 4 };
  if (name === 'bit' || name === 'varbit') return { length: modifier };
  if (name === 'interval') {
    const precision = modifier & 0xffff;
    const lastField = lastFieldOf(modifier >> 16);
    return { ...(precision !== 0xffff && { precision }), ...(lastField && { lastField }) };
  }
  return /^time/.test(name) ? { precision: modifier } : {};
}

/** The bits of the fields that an `interval` may be declared with (postgresql: src/include/utils/datetime.h). */
const SECOND_FIELD = 1 << 12;
const FIELDS: readonly [bit: number, field: IntervalField][] = [
  [1 << 11, 'minute'],
  [1 << 10, 'hour'],
  [1 << 3, 'day'],
  [1 << 1, 'month'],
  [1 << 2, 'year'],
];

function lastFieldOf(fields: number): IntervalField | undefined {
  return fields & SECOND_FIELD ? undefined : FIELDS.find(([bit]) => fields & bit)?.[1];
}
