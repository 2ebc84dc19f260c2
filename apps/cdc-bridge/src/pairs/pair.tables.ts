import { escapeLiteral } from 'pg';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import type { KeyMapping } from './key.mapping.js';

/** A change to a user's database, and how it is told before it is made. */
export interface Step {
  readonly what: string;
  readonly sql: string;
}

/** The names of what the bridge keeps for one pair in its own schema. */
export class PairTables {
  readonly ledger: string;
  readonly conflicts: string;
  readonly parked: string;
  readonly #schema: string;

  constructor(
    schema: string,
    readonly pair: string,
  ) {
    this.#schema = quoteName(schema);
    this.ledger = this.#named('ledger');
    this.conflicts = this.#named('conflicts');
    this.parked = this.#named('parked');
  }

  /**
   * What makes a pair: to be told, then run in one transaction by the table's owner.
   * @param role the bridge's own, which gets no more than it needs
   */
  create(table: TableName, key: KeyMapping, role: string): Step[] {
    const to = quoteName(role);
    const on = quoteTable(table);
    return [
      {
        what: `schema ${this.#schema}`,
        sql: `create schema if not exists ${this.#schema}; grant usage on schema ${this.#schema} to ${to}`,
      },
      { what: `ledger, conflict log and parked keys of ${this.pair}`, sql: this.#tables(to) },
      { what: `functions that keep the ledger`, sql: this.#functions(key) },
      {
        what: `triggers on ${on}, after each row and after TRUNCATE, which write the ledger`,
        sql: `create trigger zz_millrace after insert or update or delete on ${on}
                for each row execute function ${this.#named('track')}();
              create trigger zz_millrace_truncate after truncate on ${on}
                for each statement execute function ${this.#named('truncated')}();
              alter table ${on} enable always trigger zz_millrace;
              alter table ${on} enable always trigger zz_millrace_truncate`,
      },
      { what: `rights of ${role} on ${on}`, sql: `grant select, insert, update, delete on ${on} to ${to}` },
    ];
  }

  /** What undoes it; conflicts are lost with it. */
  drop(table: TableName, role: string): Step[] {
    const on = quoteTable(table);
    return [
      {
        what: `triggers on ${on}`,
        sql: `drop trigger zz_millrace on ${on}; drop trigger zz_millrace_truncate on ${on}`,
      },
      {
        what: `rights of ${role} on ${on}`,
        sql: `revoke select, insert, update, delete on ${on} from ${quoteName(role)}`,
      },
      {
        what: `ledger, conflict log and parked keys of ${this.pair}`,
        sql: `drop function ${this.#named('track')}(), ${this.#named('truncated')}(), ${this.#named('bump')}(text, boolean);
              drop table ${this.ledger}, ${this.conflicts}, ${this.parked}; drop sequence ${this.#named('rev')}`,
      },
    ];
  }

  #tables(to: string): string {
    // CACHE 1: otherwise the revisions of two sessions could go backwards for a key.
    return `
      create sequence ${this.#named('rev')} cache 1;
      create table ${this.ledger} (
        key text primary key, rev bigint not null, previous bigint not null default 0, xact xid8 not null,
        deleted boolean not null, changed_at timestamptz not null default now(),
        acc_rev bigint, acc_first bigint, acc_base bigint, acc_hash text);
      create table ${this.conflicts} (
        n bigint generated always as identity primary key, key text not null, loser jsonb,
        at timestamptz not null default now());
      create table ${this.parked} (key text primary key, reason text not null, at timestamptz not null default now());
      grant select, update (acc_rev, acc_first, acc_base, acc_hash) on ${this.ledger} to ${to};
      grant select, insert on ${this.conflicts} to ${to};
      grant select, insert, update, delete on ${this.parked} to ${to}`;
  }

  /** SECURITY DEFINER: the application has no rights on the ledger, and needs none. */
  #functions(key: KeyMapping): string {
    const next = `nextval(${escapeLiteral(this.#named('rev'))})`;
    const trigger = (name: string, body: string) =>
      `create function ${this.#named(name)}() returns trigger language plpgsql security definer
         set search_path = pg_catalog, pg_temp as ${escapeLiteral(`begin ${body}; return null; end`)}`;
    const names = (row: string) => key.columns.map(({ name }) => `${row}.${quoteName(name)}`).join(', ');
    const bump = this.#named('bump');
    // `previous` is the revision before the whole transaction: a user's own trigger may change a row twice.
    const previous = 'case when l.xact = pg_current_xact_id() then l.previous else l.rev end';
    return [
      `create function ${bump}(k text, gone boolean) returns void language sql as ${escapeLiteral(`
         insert into ${this.ledger} as l (key, rev, xact, deleted) values (k, ${next}, pg_current_xact_id(), gone)
         on conflict (key) do update set rev = ${next}, deleted = gone, xact = pg_current_xact_id(),
           changed_at = now(), previous = ${previous}`)}`,
      `revoke execute on function ${bump}(text, boolean) from public`,
      trigger(
        'track',
        `if tg_op = 'DELETE' or (tg_op = 'UPDATE' and (${names('old')}) is distinct from (${names('new')})) then
           perform ${bump}(${key.expression('old')}, true);
         end if;
         if tg_op <> 'DELETE' then perform ${bump}(${key.expression('new')}, false); end if`,
      ),
      trigger(
        'truncated',
        `update ${this.ledger} l set previous = ${previous}, rev = ${next}, xact = pg_current_xact_id(),
           changed_at = now(), deleted = true where not deleted`,
      ),
    ].join(';\n');
  }

  #named(what: string): string {
    return `${this.#schema}.${quoteName(`${this.pair}_${what}`)}`;
  }
}
