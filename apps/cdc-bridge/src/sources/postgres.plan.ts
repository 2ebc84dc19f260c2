import pg from 'pg';
import type { Step } from '../databases/step.js';
import {
  CAPTURED_TABLE,
  OWN_SCHEMA,
  SIGNALS_TABLE,
  slotName,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import type { NeededRights } from '../postgres/granted-rights.js';
import { quoteName, quoteTable, shown, tableNameOf } from '../postgres/identifier.js';
import { type CapturedRecord, type CatalogTable, type Catalogue, isSameTable } from './postgres.catalogue.js';
import { tableFaults } from './postgres.faults.js';
import { publicationSteps } from './postgres.publication.js';
import type { Captured } from './source.js';

const OWN = quoteName(OWN_SCHEMA);
const CAPTURE = 'capture of ';
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

/** The changes that bring a database to what is captured of it, but for rights; none where it is there already. */
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
    ...catalogue.tables.flatMap((table) => tableSteps(table, catalogue.records)),
    ...publicationSteps(slotName(database), catalogue, wanted),
    ...gone.map(releaseStep),
  ];
}

/** What the connector's role and the bridge's need of what is captured. */
export function readingRights(captured: readonly Captured[], roles: Roles): NeededRights[] {
  return captured.flatMap((table) => {
    const name = tableNameOf(table.name);
    return [roles.cdc, roles.bridge].flatMap((role): NeededRights[] => {
      const whose = { role, holder: CAPTURE + table.name };
      return [
        { ...whose, kind: 'schema', name: quoteName(name.schema), rights: ['usage'] },
        { ...whose, kind: 'table', name: quoteTable(name), rights: ['select'] },
      ];
    });
  });
}

/** Whether rights are held for a captured table: no pipeline's name begins so. */
export function isCapture(holder: string): boolean {
  return holder.startsWith(CAPTURE);
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

/**
 * Debezium wants precisely three columns in its signals, and adds two rows for each chunk that it reads. An older bridge
 * noted rights by captured table.
 */
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
create table if not exists ${captured} (schema text, name text,
  identity_changed boolean not null, snapshot_due boolean not null, primary key (schema, name));
alter table ${captured} drop column if exists granted, drop column if exists usage;
grant select on ${watermarks} to ${toCdc};
grant select, insert on ${signals} to ${toCdc};
grant select, insert, delete on ${watermarks}, ${signals} to ${toBridge}`,
  };
}

function tableSteps({ name, hasKey, identity }: CatalogTable, records: readonly CapturedRecord[]): Step[] {
  const identify = !hasKey && identity !== 'f';
  if (!identify && records.some((record) => isSameTable(record.name, name))) return [];
  const [schema, table] = [escapeLiteral(name.schema), escapeLiteral(name.table)];
  const sql = `insert into ${OWN}.${CAPTURED_TABLE} values (${schema}, ${table}, ${identify}, true)
  on conflict (schema, name) do update set identity_changed = captured.identity_changed or excluded.identity_changed`;
  return [
    {
      what: `${shown(name)} captured${identify ? ', REPLICA IDENTITY FULL' : ''}`,
      sql: identify ? `alter table ${quoteTable(name)} replica identity full;\n${sql}` : sql,
    },
  ];
}

function releaseStep({ name, identityChanged }: CapturedRecord): Step {
  const [schema, table] = [escapeLiteral(name.schema), escapeLiteral(name.table)];
  const forget = `delete from ${OWN}.${CAPTURED_TABLE} where schema = ${schema} and name = ${table}`;
  // `if exists`: the table itself may be gone.
  const undo = `alter table if exists ${quoteTable(name)} replica identity default;\n`;
  return { what: `${shown(name)} released`, sql: identityChanged ? undo + forget : forget };
}
