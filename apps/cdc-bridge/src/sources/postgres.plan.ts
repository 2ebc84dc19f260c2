import pg from 'pg';
import type { Step } from '../databases/step.js';
import {
  CAPTURED_TABLE,
  OWN_SCHEMA,
  SIGNALS_TABLE,
  slotName,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import { quoteName, quoteTable, shown, type TableName, tableNameOf } from '../postgres/identifier.js';
import { type CapturedRecord, type CatalogTable, type Catalogue, isSameTable } from './postgres.catalogue.js';
import { tableFaults } from './postgres.faults.js';
import { publicationSteps } from './postgres.publication.js';
import type { Captured } from './source.js';

const OWN = quoteName(OWN_SCHEMA);
const { escapeLiteral } = pg;

export interface Roles {
  readonly cdc: string;
  readonly bridge: string;
}

/** Why tables cannot be captured as they are; publishing some of these would make their owner's UPDATE fail. */
export function postgresFaults(catalogue: Catalogue, captured: readonly Captured[]): string[] {
  const missing = catalogue.missing.map((name) => `there is no table ${shown(name)}`);
  const faults = catalogue.tables.flatMap((table) => {
    const declared = captured.find(({ name }) => isSameTable(tableNameOf(name), table.name));
    const found = tableFaults(table, catalogue, declared?.appendOnly ?? false);
    return found.map((fault) => `${shown(table.name)} ${fault}`);
  });
  return [...missing, ...faults];
}

/** The changes that bring a database to what is captured of it, in order; none where it is there already. */
export function postgresSteps(
  database: string,
  catalogue: Catalogue,
  captured: readonly Captured[],
  roles: Roles,
): Step[] {
  const wanted = captured.map(({ name }) => tableNameOf(name));
  const gone = catalogue.records.filter(({ name }) => !wanted.some((table) => isSameTable(table, name)));
  return [
    ...(catalogue.hasOwnTables ? [] : [ownTables(roles)]),
    ...catalogue.tables.flatMap((table) => tableSteps(table, catalogue.records, roles)),
    ...publicationSteps(slotName(database), catalogue, wanted),
    ...gone.flatMap((record) => releaseSteps(record, catalogue.records, wanted)),
  ];
}

/** What is left of the bridge in a database that has no pipeline any more, and whose slot is gone. */
export function postgresRemoval(database: string, catalogue: Catalogue): Step[] {
  const publication = quoteName(slotName(database));
  return [
    ...(catalogue.publication
      ? [{ what: `publication ${publication}, dropped`, sql: `drop publication ${publication}` }]
      : []),
    ...(catalogue.hasOwnTables
      ? [
          {
            what: `the tables of ${OWN} by which a connector is followed, dropped`,
            sql: `drop table ${[SIGNALS_TABLE, WATERMARKS_TABLE, CAPTURED_TABLE].map((table) => `${OWN}.${table}`).join(', ')}`,
          },
        ]
      : []),
  ];
}

/** Debezium wants precisely three columns in its signals, and adds two rows for each chunk that it reads. */
function ownTables({ cdc, bridge }: Roles): Step {
  const [signals, watermarks, captured] = [SIGNALS_TABLE, WATERMARKS_TABLE, CAPTURED_TABLE].map(
    (table) => `${OWN}.${table}`,
  );
  const [toCdc, toBridge] = [quoteName(cdc), quoteName(bridge)];
  return {
    what: `schema ${OWN} with the tables by which a connector is followed and told`,
    sql: `create schema if not exists ${OWN};
grant usage on schema ${OWN} to ${toCdc}, ${toBridge};
create table if not exists ${watermarks} (id text primary key, at timestamptz not null default clock_timestamp());
create table if not exists ${signals} (id varchar(64) primary key, type varchar(32) not null, data text);
create table if not exists ${captured} (schema text, name text, granted text[] not null, usage text[] not null,
  identity_changed boolean not null, snapshot_due boolean not null, primary key (schema, name));
grant select on ${watermarks} to ${toCdc};
grant select, insert on ${signals} to ${toCdc};
grant select, insert, delete on ${watermarks}, ${signals} to ${toBridge}`,
  };
}

function tableSteps(table: CatalogTable, records: readonly CapturedRecord[], roles: Roles): Step[] {
  const { name, mayRead, maySeeSchema } = table;
  const lacking = (may: { cdc: boolean; bridge: boolean }) =>
    (['cdc', 'bridge'] as const).filter((role) => !may[role]).map((role) => roles[role]);
  const [usage, granted] = [lacking(maySeeSchema), lacking(mayRead)];
  const identify = !table.hasKey && table.identity !== 'f';
  const isKnown = records.some((record) => isSameTable(record.name, name));
  if (isKnown && usage.length + granted.length === 0 && !identify) return [];
  const sql = [
    // Before the rights: an ANALYZE under way would hold what it waits for, and wait for what a GRANT holds.
    ...(identify ? [`alter table ${quoteTable(name)} replica identity full`] : []),
    ...usage.map((role) => `grant usage on schema ${quoteName(name.schema)} to ${quoteName(role)}`),
    ...granted.map((role) => `grant select on ${quoteTable(name)} to ${quoteName(role)}`),
    recordOf(name, granted, usage, identify),
  ];
  const rights = granted.length > 0 ? `, SELECT for ${granted.join(' and ')}` : '';
  const identity = identify ? ', REPLICA IDENTITY FULL' : '';
  return [{ what: `${shown(name)} captured${rights}${identity}`, sql: sql.join(';\n') }];
}

function recordOf(
  { schema, table }: TableName,
  granted: string[],
  usage: string[],
  identify: boolean,
): string {
  const list = (roles: string[]) => `array[${roles.map((role) => escapeLiteral(role)).join(', ')}]::text[]`;
  return `insert into ${OWN}.${CAPTURED_TABLE} values
  (${escapeLiteral(schema)}, ${escapeLiteral(table)}, ${list(granted)}, ${list(usage)}, ${identify}, true)
  on conflict (schema, name) do update set granted = captured.granted || excluded.granted,
    usage = captured.usage || excluded.usage, identity_changed = captured.identity_changed or excluded.identity_changed`;
}

function releaseSteps(
  record: CapturedRecord,
  records: readonly CapturedRecord[],
  wanted: readonly TableName[],
): Step[] {
  const { schema, table } = record.name;
  const staysUsed = records
    .filter(({ name }) => wanted.some((other) => isSameTable(other, name)))
    .some(({ name }) => name.schema === schema);
  const name = escapeLiteral(quoteTable(record.name));
  // The table itself may be gone.
  const ifThere = (sql: string) => `if to_regclass(${name}) is not null then ${sql}; end if;`;
  const undo = [
    ...(record.identityChanged
      ? [ifThere(`alter table ${quoteTable(record.name)} replica identity default`)]
      : []),
    ...record.granted.map((role) =>
      ifThere(`revoke select on ${quoteTable(record.name)} from ${quoteName(role)}`),
    ),
    ...(staysUsed ? [] : record.usage).map(
      (role) =>
        `if to_regnamespace(${escapeLiteral(quoteName(schema))}) is not null then revoke usage on schema ${quoteName(schema)} from ${quoteName(role)}; end if;`,
    ),
  ];
  return [
    {
      what: `${shown(record.name)} released${record.granted.length > 0 ? `, SELECT revoked from ${record.granted.join(' and ')}` : ''}`,
      sql: `${undo.length > 0 ? `do ${escapeLiteral(`begin ${undo.join(' ')} end`)};\n` : ''}delete from ${OWN}.${CAPTURED_TABLE} where schema = ${escapeLiteral(schema)} and name = ${escapeLiteral(table)}`,
    },
  ];
}
