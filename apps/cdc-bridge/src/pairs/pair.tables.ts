import { escapeLiteral } from 'pg';
import type { Step } from '../databases/step.js';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import type { KeyMapping } from './key.mapping.js';

export interface PairStep extends Step {
  /** An SQL expression: whether the database is so already. */
  readonly done: string;
}

const TRIGGERS = ['zz_millrace', 'zz_millrace_truncate'];

/** The names of what the bridge keeps for one pair in its own schema. */
export class PairTables {
  readonly ledger: string;
  readonly conflicts: string;
  readonly counts: string;
  readonly parked: string;
  readonly positions: string;
  /** The sequence of revisions. */
  readonly revisions: string;
  readonly #schema: string;

  constructor(
    readonly schema: string,
    readonly pair: string,
  ) {
    this.#schema = quoteName(schema);
    this.ledger = this.#named('ledger');
    this.conflicts = this.#named('conflicts');
    this.counts = this.#named('counts');
    this.parked = this.#named('parked');
    this.positions = this.#named('positions');
    this.revisions = this.#named('rev');
  }

  /**
   * What makes a pair: to be told, then run by the table's owner.
   * @param role the bridge's own, which gets no more than it needs
   */
  create(table: TableName, key: KeyMapping, role: string): PairStep[] {
    const to = quoteName(role);
    const on = quoteTable(table);
    const sees = `has_schema_privilege(${[role, this.schema, 'usage'].map(escapeLiteral).join(', ')})`;
    return [
      {
        what: `schema ${this.#schema}`,
        sql: `create schema if not exists ${this.#schema}; grant usage on schema ${this.#schema} to ${to}`,
        done: `case when to_regnamespace(${escapeLiteral(this.#schema)}) is null then false else ${sees} end`,
      },
      {
        what: `ledger, conflict log, parked keys and positions of ${this.pair}`,
        sql: this.#tables(key, to),
        done: `to_regclass(${escapeLiteral(this.ledger)}) is not null`,
      },
      {
        what: `counts of what is done for ${this.pair}`,
        sql: `create table ${this.counts} (nothing bigint, docs bigint, rows bigint, bases bigint, conflicts bigint);
              insert into ${this.counts} values (0, 0, 0, 0, 0);
              grant select, update on ${this.counts} to ${to}`,
        done: `to_regclass(${escapeLiteral(this.counts)}) is not null`,
      },
      {
        what: `functions that keep the ledger`,
        sql: this.#functions(key),
        done: `to_regproc(${escapeLiteral(this.#named('truncated'))}) is not null`,
      },
      {
        what: `triggers on ${on}, after each row and after TRUNCATE, which write the ledger`,
        sql: `create or replace trigger zz_millrace after insert or update or delete on ${on}
                for each row execute function ${this.#named('track')}();
              create or replace trigger zz_millrace_truncate after truncate on ${on}
                for each statement execute function ${this.#named('truncated')}();
              alter table ${on} enable always trigger zz_millrace;
              alter table ${on} enable always trigger zz_millrace_truncate`,
        done: `(select count(*) = ${TRIGGERS.length} from pg_trigger where tgrelid = to_regclass(${escapeLiteral(on)})
                and tgenabled = 'A' and tgname in (${TRIGGERS.map(escapeLiteral).join(', ')}))`,
      },
    ];
  }

  /** What takes the bridge's hands off the table, before `drop`. */
  release(table: TableName): PairStep[] {
    const on = quoteTable(table);
    return [
      {
        what: `triggers on ${on}`,
        sql: TRIGGERS.map((trigger) => `drop trigger if exists ${trigger} on ${on}`).join('; '),
        done: `not exists (select from pg_trigger where tgrelid = to_regclass(${escapeLiteral(on)})
                and tgname in (${TRIGGERS.map(escapeLiteral).join(', ')}))`,
      },
    ];
  }

  /** What removes the bridge's own; conflicts are lost with it. */
  drop(): PairStep[] {
    return [
      {
        what: `ledger, conflict log, parked keys and positions of ${this.pair}`,
        sql: `drop function ${this.#named('track')}(), ${this.#named('truncated')}(), ${this.#named('bump')}(text, boolean);
              drop table ${this.ledger}, ${this.conflicts}, ${this.parked}, ${this.positions};
              drop table if exists ${this.counts};
              drop sequence ${this.revisions}`,
        done: this.#gone(),
      },
    ];
  }

  /** What the ledger says of the key by which it was made, to notice that the pair now has another. */
  keyComment(key: KeyMapping): string {
    return `key: ${key.columns.map(({ name }) => quoteName(name)).join(', ')}`;
  }

  #tables(key: KeyMapping, to: string): string {
    // CACHE 1: otherwise the revisions of two sessions could go backwards for a key.
    return `
      create sequence ${this.revisions} cache 1;
      create table ${this.ledger} (
        key text primary key, rev bigint not null, previous bigint not null default 0, xact xid8 not null,
        deleted boolean not null, changed_at timestamptz not null default now(),
        acc_rev bigint, acc_first bigint, acc_base bigint, acc_hash text);
      create index on ${this.ledger} (changed_at) where deleted;
      comment on table ${this.ledger} is ${escapeLiteral(this.keyComment(key))};
      create table ${this.conflicts} (
        n bigint generated always as identity primary key, key text not null, loser jsonb,
        at timestamptz not null default date_trunc('milliseconds', clock_timestamp()));
      create index on ${this.conflicts} (at, n);
      create table ${this.parked} (key text primary key, reason text not null, at timestamptz not null default now());
      create table ${this.positions} (
        topic text, partition int, next_offset bigint not null, primary key (topic, partition));
      grant select, delete, update (acc_rev, acc_first, acc_base, acc_hash) on ${this.ledger} to ${to};
      grant select, insert, delete on ${this.conflicts} to ${to};
      grant select, insert, update, delete on ${this.parked}, ${this.positions} to ${to};
      grant select, update on sequence ${this.revisions} to ${to}`;
  }

  /** SECURITY DEFINER: the application has no rights on the ledger, and needs none. */
  #functions(key: KeyMapping): string {
    const next = `nextval(${escapeLiteral(this.revisions)})`;
    const trigger = (name: string, body: string) =>
      `create or replace function ${this.#named(name)}() returns trigger language plpgsql security definer
         set search_path = pg_catalog, pg_temp as ${escapeLiteral(`begin ${body}; return null; end`)}`;
    const names = (row: string) => key.columns.map(({ name }) => `${row}.${quoteName(name)}`).join(', ');
    const bump = this.#named('bump');
    // `previous` is the revision before the whole transaction: a user's own trigger may change a row twice.
    const previous = 'case when l.xact = pg_current_xact_id() then l.previous else l.rev end';
    return [
      `create or replace function ${bump}(k text, gone boolean) returns void language sql as ${escapeLiteral(`
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

  #gone(): string {
    return `to_regclass(${escapeLiteral(this.ledger)}) is null`;
  }

  #named(what: string): string {
    return `${this.#schema}.${quoteName(`${this.pair}_${what}`)}`;
  }
}
