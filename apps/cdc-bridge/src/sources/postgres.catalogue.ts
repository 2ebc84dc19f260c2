import type { ClientBase } from 'pg';
import {
  CAPTURED_TABLE,
  OWN_SCHEMA,
  SIGNALS_TABLE,
  slotName,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';

/** A table that is to be captured, as Postgres' catalogue has it. */
export interface CatalogTable {
  readonly name: TableName;
  /** `r` a table, `p` a partitioned one; else nothing that is replicated. */
  readonly kind: string;
  readonly isLogged: boolean;
  readonly owner: string;
  /** Whether the deploy step's role may alter it. */
  readonly isOurs: boolean;
  /** A primary key that is checked at once: a deferrable one does not identify rows. */
  readonly hasKey: boolean;
  /** `d` by the primary key, `f` by the whole row, `i` by an index, `n` not at all. */
  readonly identity: 'd' | 'f' | 'i' | 'n';
  readonly hasVirtualColumns: boolean;
  /** Generated columns that are stored. */
  readonly hasStoredColumns: boolean;
  /** The connector's role and the bridge's, where row security hides rows from them. */
  readonly hiddenFrom: readonly string[];
  /** What it is a partition of, above each other. */
  readonly ancestors: readonly TableName[];
  /** Its partitions that are foreign, unlogged, or of a REPLICA IDENTITY other than DEFAULT and FULL. */
  readonly unfitPartitions: readonly string[];
  /** By `INHERITS`: rows that a query shows beside its own. */
  readonly heirs: readonly string[];
}

/** What the deploy step did for a table that it captured, so that it can be undone. */
export interface CapturedRecord {
  readonly name: TableName;
  readonly identityChanged: boolean;
}

export interface Catalogue {
  readonly version: number;
  readonly hasOwnTables: boolean;
  readonly tables: readonly CatalogTable[];
  /** Tables that are asked for and not there. */
  readonly missing: readonly TableName[];
  /** Undefined where there is none. */
  readonly publication: readonly TableName[] | undefined;
  readonly records: readonly CapturedRecord[];
}

const TABLES = `
select n.nspname as schema, c.relname as table, c.relkind as kind, c.relpersistence = 'p' as "isLogged",
  pg_get_userbyid(c.relowner) as owner, pg_has_role(c.relowner, 'USAGE') as "isOurs",
  exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indimmediate) as "hasKey",
  c.relreplident as identity,
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attgenerated = 'v') as "hasVirtualColumns",
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attgenerated = 's') as "hasStoredColumns",
  array(select r.rolname::text from pg_roles r where c.relrowsecurity and r.rolname in ($2, $3)
    and not (r.rolbypassrls or r.rolsuper or pg_has_role(r.oid, c.relowner, 'USAGE') and not c.relforcerowsecurity)
    order by 1) as "hiddenFrom",
  coalesce((select json_agg(json_build_object('schema', s.nspname, 'table', p.relname))
    from pg_partition_ancestors(c.oid) a join pg_class p on p.oid = a.relid join pg_namespace s on s.oid = p.relnamespace
    where p.oid <> c.oid), '[]') as ancestors,
  array(select p.oid::regclass::text from pg_partition_tree(c.oid) t join pg_class p on p.oid = t.relid
    where t.isleaf and p.oid <> c.oid
      and (p.relkind <> 'r' or p.relpersistence <> 'p' or p.relreplident not in ('d', 'f')) order by 1) as "unfitPartitions",
  array(select h.oid::regclass::text from pg_inherits i join pg_class h on h.oid = i.inhrelid
    where i.inhparent = c.oid and not h.relispartition order by 1) as heirs
from json_to_recordset($1) as wanted(schema text, "table" text)
join pg_namespace n on n.nspname = wanted.schema
join pg_class c on c.relnamespace = n.oid and c.relname = wanted."table"`;

/** @param roles the connector's and the bridge's, which must be there */
export async function readCatalogue(
  owner: ClientBase,
  database: string,
  wanted: readonly TableName[],
  roles: { readonly cdc: string; readonly bridge: string },
): Promise<Catalogue> {
  const settings = await owner.query<{ version: number; owned: boolean; recorded: boolean }>(
    `select current_setting('server_version_num')::int as version, to_regclass($3) is not null as recorded,
      to_regclass($1) is not null and to_regclass($2) is not null and to_regclass($3) is not null
      and not exists (select from pg_attribute
        where attrelid = to_regclass($3) and attname = 'granted' and not attisdropped) as owned`,
    [SIGNALS_TABLE, WATERMARKS_TABLE, CAPTURED_TABLE].map((table) =>
      quoteTable({ schema: OWN_SCHEMA, table }),
    ),
  );
  const { version = 0, owned = false, recorded = false } = settings.rows[0] ?? {};
  const found = await owner.query<TableName & Omit<CatalogTable, 'name'>>(TABLES, [
    JSON.stringify(wanted),
    roles.cdc,
    roles.bridge,
  ]);
  const tables = found.rows.map(({ schema, table, ...rest }) => ({ name: { schema, table }, ...rest }));
  return {
    version,
    hasOwnTables: owned,
    tables,
    missing: wanted.filter((name) => !tables.some((table) => isSameTable(table.name, name))),
    publication: await readPublication(owner, slotName(database)),
    records: recorded ? await readRecords(owner) : [],
  };
}

export function isSameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.table === b.table;
}

async function readPublication(owner: ClientBase, name: string): Promise<TableName[] | undefined> {
  const { rowCount } = await owner.query('select from pg_publication where pubname = $1', [name]);
  if (rowCount === 0) return undefined;
  const { rows } = await owner.query<TableName>(
    `select n.nspname as schema, c.relname as table from pg_publication_rel r
     join pg_publication p on p.oid = r.prpubid join pg_class c on c.oid = r.prrelid
     join pg_namespace n on n.oid = c.relnamespace where p.pubname = $1 order by 1, 2`,
    [name],
  );
  return rows;
}

async function readRecords(owner: ClientBase): Promise<CapturedRecord[]> {
  const { rows } = await owner.query<TableName & Omit<CapturedRecord, 'name'>>(
    `select schema, name as table, identity_changed as "identityChanged"
     from ${quoteName(OWN_SCHEMA)}.${CAPTURED_TABLE} order by 1, 2`,
  );
  return rows.map(({ schema, table, ...record }) => ({ name: { schema, table }, ...record }));
}
