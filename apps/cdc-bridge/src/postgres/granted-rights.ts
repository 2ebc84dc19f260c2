import { type ClientBase, escapeLiteral } from 'pg';
import type { Step } from '../databases/step.js';
import { GRANTED_TABLE, OWN_SCHEMA } from '../names/bridge-names.js';
import { quoteName, quoteTable } from './identifier.js';
import { hasTable } from './table-columns.js';

const NOTES = { schema: OWN_SCHEMA, table: GRANTED_TABLE };
const GRANTED = quoteTable(NOTES);

/** Rights that a role has to have on what is a user's. */
export interface NeededRights {
  readonly kind: 'table' | 'sequence' | 'schema';
  /** Quoted; a table's or sequence's with its schema. */
  readonly name: string;
  readonly role: string;
  /** In lower case. */
  readonly rights: readonly string[];
  /** Who needs them: what several need is taken back with the last of them. */
  readonly holder: string;
}

type Note = Pick<NeededRights, 'kind' | 'name' | 'role' | 'holder'> & { readonly right: string };

/**
 * What grants the rights that roles lack, and notes who needs those that were granted, so that no others are ever taken
 * back. What is not there yet counts as lacking every right.
 */
export async function grantSteps(owner: ClientBase, needed: readonly NeededRights[]): Promise<Step[]> {
  const noted = (await hasTable(owner, NOTES))
    ? `select * from ${GRANTED}`
    : 'select null as kind, null as name, null as role, null as "right", null as holder where false';
  const { rows } = await owner.query<Note & { lacking: boolean }>(
    `with noted as (${noted}),
       needed as (select n.kind, n.name, n.role, n.holder, p as "right",
           case n.kind when 'schema' then has_schema_privilege(n.role, to_regnamespace(n.name), p)
             when 'sequence' then has_sequence_privilege(n.role, to_regclass(n.name), p)
             else has_table_privilege(n.role, to_regclass(n.name), p) end is not true as lacking
         from json_to_recordset($1) n(kind text, name text, role text, rights text[], holder text)
         cross join unnest(n.rights) p)
     select n.* from needed n where lacking
       or exists (select from noted where (kind, name, role, "right") = (n.kind, n.name, n.role, n."right"))
         and not exists (select from noted
           where (kind, name, role, "right", holder) = (n.kind, n.name, n.role, n."right", n.holder))`,
    [JSON.stringify(needed)],
  );
  return byObject(rows).map((notes) => {
    const roles = [...Map.groupBy(notes, ({ role }) => role)];
    return {
      what: shownGrants(roles),
      sql: [
        `create schema if not exists ${quoteName(OWN_SCHEMA)}`,
        `create table if not exists ${GRANTED} (kind text, name text, role text, "right" text, holder text,
           primary key (kind, name, role, "right", holder))`,
        ...roles.flatMap(([role, of]) => {
          const lacking = of.filter((note) => note.lacking);
          return lacking.length > 0 ? [`grant ${rightsOn(lacking)} to ${quoteName(role)}`] : [];
        }),
        `insert into ${GRANTED} values ${notes.map(valuesOf).join(', ')} on conflict do nothing`,
      ].join(';\n'),
    };
  });
}

/** What takes back the rights that were granted for these holders, and that nobody else needs. */
export async function revokeSteps(owner: ClientBase, holders: readonly string[]): Promise<Step[]> {
  if (!(await hasTable(owner, NOTES))) return [];
  const { rows } = await owner.query<Note & { last: boolean }>(
    `select g.*, case g.kind when 'schema' then to_regnamespace(g.name) is not null
         else to_regclass(g.name) is not null end
       and not exists (select from ${GRANTED} o where o.holder <> all($1)
         and (o.kind, o.name, o.role, o."right") = (g.kind, g.name, g.role, g."right")) as last
     from ${GRANTED} g where g.holder = any($1) order by g.kind <> 'table', g.name, g.role, g."right"`,
    [holders],
  );
  return byObject(rows).map((notes) => {
    const roles = [
      ...Map.groupBy(
        notes.filter(({ last }) => last),
        ({ role }) => role,
      ),
    ];
    const revoked = roles.map(([role, of]) => `${shownRights(of)} revoked from ${quoteName(role)}`);
    return {
      what: revoked.join(', ') || `${shownRights(notes)}: left to who else needs it`,
      sql: [
        ...roles.map(([role, of]) => `revoke ${rightsOn(of)} from ${quoteName(role)}`),
        `delete from ${GRANTED} where (kind, name, role, "right", holder) in (${notes.map(valuesOf).join(', ')})`,
      ].join(';\n'),
    };
  });
}

/** What removes the notes, once there are none. */
export async function forgetGrants(owner: ClientBase): Promise<Step[]> {
  if (!(await hasTable(owner, NOTES))) return [];
  const { rowCount } = await owner.query(`select from ${GRANTED} limit 1`);
  return rowCount ? [] : [{ what: `table ${GRANTED}, dropped`, sql: `drop table ${GRANTED}` }];
}

function byObject<T extends Note>(notes: readonly T[]): T[][] {
  return [...Map.groupBy(notes, ({ kind, name }) => `${kind} ${name}`).values()];
}

/** Of one object. */
function rightsOn(notes: readonly Note[], shown = (right: string) => right): string {
  const [{ kind = 'table', name = '' } = {}] = notes;
  return `${shown([...new Set(notes.map(({ right }) => right))].join(', '))} on ${kind} ${name}`;
}

function shownRights(notes: readonly Note[]): string {
  return rightsOn(notes, (rights) => rights.toUpperCase());
}

function shownGrants(roles: readonly (readonly [string, readonly Note[]])[]): string {
  return [...Map.groupBy(roles, ([, notes]) => shownRights(notes))]
    .map(([rights, to]) => `${rights} for ${to.map(([role]) => quoteName(role)).join(' and ')}`)
    .join(', ');
}

function valuesOf({ kind, name, role, right, holder }: Note): string {
  return `(${[kind, name, role, right, holder].map(escapeLiteral).join(', ')})`;
}
