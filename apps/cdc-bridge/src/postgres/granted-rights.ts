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

type Right = Pick<NeededRights, 'kind' | 'name' | 'role'> & { readonly right: string };
type Held = Right & Pick<NeededRights, 'holder'>;
/** A right that was granted, for one of those who need it. */
type Note = Held & { readonly isThere: boolean };

const HAS = `case n.kind when 'schema' then has_schema_privilege(n.role, to_regnamespace(n.name), n."right")
  when 'sequence' then has_sequence_privilege(n.role, to_regclass(n.name), n."right")
  else has_table_privilege(n.role, to_regclass(n.name), n."right") end`;
const IS_THERE = `case n.kind when 'schema' then to_regnamespace(n.name) is not null
  else to_regclass(n.name) is not null end and exists (select from pg_roles where rolname = n.role)`;

/** What was granted in one database, and for whom: no right is ever taken back that the role had before. */
export class GrantedRights {
  private constructor(
    private readonly owner: ClientBase,
    /** Undefined where nothing was ever granted. */
    private readonly notes: readonly Note[] | undefined,
  ) {}

  static async read(owner: ClientBase): Promise<GrantedRights> {
    if (!(await hasTable(owner, NOTES))) return new GrantedRights(owner, undefined);
    const { rows } = await owner.query<Note>(
      `select n.*, ${IS_THERE} as "isThere" from ${GRANTED} n
       order by n.kind <> 'table', n.name, n.role, n."right", n.holder`,
    );
    return new GrantedRights(owner, rows);
  }

  /** What grants the rights that roles lack, and notes who needs them. What is not there yet lacks all of them. */
  async grants(needed: readonly NeededRights[]): Promise<Step[]> {
    const lacking = new Set((await this.#lacking(needed)).map(keyOf));
    const noted = new Set(this.notes?.map(keyOf));
    const held = new Set(this.notes?.map(heldKey));
    const due = needed
      .flatMap(each)
      .filter((right) => lacking.has(keyOf(right)) || (noted.has(keyOf(right)) && !held.has(heldKey(right))));
    const steps = byObject(due).map((rights) =>
      granting(
        rights,
        rights.filter((right) => lacking.has(keyOf(right))),
      ),
    );
    return this.notes || steps.length === 0 ? steps : [NOTING, ...steps];
  }

  /**
   * What takes back the rights of holders that they need no more, and that nobody else needs.
   * @param isOurs tells of which holders `needed` is all
   */
  revocations(isOurs: (holder: string) => boolean, needed: readonly NeededRights[] = []): Step[] {
    const wanted = new Set(needed.flatMap(each).map(heldKey));
    const isOver = (note: Note) => isOurs(note.holder) && !wanted.has(heldKey(note));
    const over = this.notes?.filter(isOver) ?? [];
    const stays = this.notes?.filter((note) => !isOver(note)) ?? [];
    const needs = new Set(stays.map(keyOf));
    const steps = byObject(over).map((notes) =>
      revoking(
        notes,
        notes.filter((note) => note.isThere && !needs.has(keyOf(note))),
      ),
    );
    const isLast = over.length > 0 && stays.length === 0 && needed.length === 0;
    return isLast ? [...steps, { what: `table ${GRANTED}, dropped`, sql: `drop table ${GRANTED}` }] : steps;
  }

  async #lacking(needed: readonly NeededRights[]): Promise<Right[]> {
    const { rows } = await this.owner.query<Right>(
      `select n.* from json_to_recordset($1) n(kind text, name text, role text, "right" text)
       where ${HAS} is not true`,
      [JSON.stringify(needed.flatMap(each))],
    );
    return rows;
  }
}

const NOTING: Step = {
  what: `table ${GRANTED}, which remembers the rights that are granted`,
  sql: `create schema if not exists ${quoteName(OWN_SCHEMA)};
create table if not exists ${GRANTED} (kind text, name text, role text, "right" text, holder text,
  primary key (kind, name, role, "right", holder))`,
};

/** @param rights of one object, of which some are `lacking` */
function granting(rights: readonly Held[], lacking: readonly Held[]): Step {
  const granted = shown(lacking, 'for');
  return {
    what: granted || `${shown(rights, 'for')}, which it has for another pipeline`,
    sql: [
      ...byRole(lacking).map(([role, of]) => `grant ${listed(of)} on ${objectOf(of)} to ${quoteName(role)}`),
      ...(lacking.length > 0 ? [proof(lacking)] : []),
      `insert into ${GRANTED} values ${rights.map(valuesOf).join(', ')} on conflict do nothing`,
    ].join(';\n'),
  };
}

/** Postgres only warns of a GRANT by somebody who may not grant that. */
function proof(granted: readonly Held[]): string {
  const values = granted.map(valuesOf).join(', ');
  const fault = `only its owner can grant ${listed(granted)} on ${objectOf(granted)}`;
  return `do ${escapeLiteral(`begin
  if exists (select from (values ${values}) n(kind, name, role, "right", holder) where ${HAS} is not true)
  then raise insufficient_privilege using message = ${escapeLiteral(fault)}; end if; end`)}`;
}

/** @param notes of one object, of which some are the `last` of theirs */
function revoking(notes: readonly Note[], last: readonly Note[]): Step {
  const revoked = shown(last, 'revoked from');
  return {
    what: revoked || `${shown(notes, 'of')}: noted no more${notes[0]?.isThere ? ', as others need it' : ''}`,
    sql: [
      ...byRole(last).map(([role, of]) => `revoke ${listed(of)} on ${objectOf(of)} from ${quoteName(role)}`),
      `delete from ${GRANTED} where (kind, name, role, "right", holder) in (${notes.map(valuesOf).join(', ')})`,
    ].join(';\n'),
  };
}

function each({ rights, ...rest }: NeededRights): Held[] {
  return rights.map((right) => ({ ...rest, right }));
}

const keyOf = ({ kind, name, role, right }: Right) => JSON.stringify([kind, name, role, right]);
const heldKey = (right: Held) => `${keyOf(right)} ${right.holder}`;

function byObject<T extends Right>(rights: readonly T[]): T[][] {
  return [...Map.groupBy(rights, ({ kind, name }) => `${kind} ${name}`).values()];
}

function byRole<T extends Right>(rights: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(rights, ({ role }) => role)];
}

function listed(rights: readonly Right[]): string {
  return [...new Set(rights.map(({ right }) => right))].join(', ');
}

function objectOf([first]: readonly Right[]): string {
  return first ? `${first.kind} ${first.name}` : '';
}

/** `SELECT on table "a"."b" for "c" and "d"`; nothing for no rights. */
function shown(rights: readonly Right[], preposition: string): string {
  return [...Map.groupBy(byRole(rights), ([, of]) => listed(of).toUpperCase())]
    .map(([what, roles]) => {
      const names = roles.map(([role]) => quoteName(role)).join(' and ');
      return `${what} on ${objectOf(rights)} ${preposition} ${names}`;
    })
    .join(', ');
}

function valuesOf({ kind, name, role, right, holder }: Held): string {
  return `(${[kind, name, role, right, holder].map(escapeLiteral).join(', ')})`;
}
