import type pg from 'pg';
import { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import { sourceMemoryOf } from '../control/control.js';
import { PostgresControl } from '../control/postgres.control.js';
import type { DatabaseSettings } from '../databases/database-settings.js';
import type { Step } from '../databases/step.js';
import { targetTable } from '../mapping/target-table.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { MongoToPostgres } from '../pipelines/pipeline.schema.js';
import { quoteName, quoteTable, tableNameOf } from '../postgres/identifier.js';
import { connectOwner, runSteps } from '../postgres/owner.connection.js';
import { sequenceSteps } from './target-rights.js';

const OWN_TABLES = ['checkpoints', 'pipelines'];
const RIGHTS = ['select', 'insert', 'update', 'delete'];

/** A Postgres database that pipelines write to, through its owner's connection. Close it. */
export class PostgresTarget {
  private constructor(
    readonly settings: DatabaseSettings,
    readonly owner: pg.Client,
  ) {}

  static async open(settings: Required<DatabaseSettings>): Promise<PostgresTarget> {
    return new PostgresTarget(settings, await connectOwner(settings.ownerUrl));
  }

  /** The bridge's own role. */
  get role(): string {
    return decodeURIComponent(new URL(this.settings.url).username);
  }

  /** What is still to be done for the pipelines that write here. */
  async plan(pipelines: readonly MongoToPostgres[]): Promise<Step[]> {
    const own = await this.#mayUseOwnTables();
    const open: Step[] = own ? [] : [this.#ownTables()];
    for (const pipeline of pipelines) open.push(...(await this.#tableSteps(pipeline)));
    return open;
  }

  /** @throws StepFailed; see `runSteps` */
  apply(steps: readonly Step[]): Promise<void> {
    return runSteps(this.owner, steps);
  }

  /** Forgets where a pipeline stands, and what it was told. */
  async forget(pipeline: string): Promise<void> {
    for (const table of OWN_TABLES) {
      await this.owner.query(`delete from ${quoteName(OWN_SCHEMA)}.${table} where pipeline = any($1)`, [
        [pipeline, sourceMemoryOf(pipeline)],
      ]);
    }
  }

  async close(): Promise<void> {
    await this.owner.end();
  }

  #ownTables(): Step {
    const [schema, role] = [quoteName(OWN_SCHEMA), quoteName(this.role)];
    const tables = OWN_TABLES.map((table) => `${schema}.${table}`).join(', ');
    return {
      what: `schema ${schema} with the tables in which the bridge keeps where pipelines stand`,
      sql: `create schema if not exists ${schema};
grant usage on schema ${schema} to ${role};
${new PostgresCheckpoints(OWN_SCHEMA).definition};
${PostgresControl.definition(OWN_SCHEMA)};
grant select, insert, update, delete on ${tables} to ${role}`,
    };
  }

  async #tableSteps(pipeline: MongoToPostgres): Promise<Step[]> {
    const table = tableNameOf(pipeline.to.table);
    const { rows } = await this.owner.query<{ there: boolean; may: boolean | null; sees: boolean | null }>(
      `select to_regclass($1) is not null as there,
              (select bool_and(has_table_privilege($2, to_regclass($1), p)) from unnest($4::text[]) as p) as may,
              (select has_schema_privilege($2, oid, 'usage') from pg_namespace where nspname = $3) as sees`,
      [quoteTable(table), this.role, table.schema, RIGHTS],
    );
    const [found] = rows;
    const [name, role] = [quoteTable(table), quoteName(this.role)];
    const usage: Step = {
      what: `USAGE on the schema ${quoteName(table.schema)} for ${role}`,
      sql: `grant usage on schema ${quoteName(table.schema)} to ${role}`,
    };
    const write: Step = {
      what: `SELECT, INSERT, UPDATE and DELETE on ${name} for ${role}`,
      sql: `grant select, insert, update, delete on ${name} to ${role}`,
    };
    const make = targetTable(pipeline, this.role);
    if (!found?.there && !make)
      throw new Error(`${pipeline.name}: there is no table ${name}, and create is not set`);
    return [
      ...(found?.sees ? [] : [usage]),
      ...(found?.there ? [] : make ? [make] : []),
      ...(found?.there && !found.may ? [write] : []),
      ...(found?.there ? await sequenceSteps(this.owner, this.role, pipeline.to.table) : []),
    ];
  }

  /** Every right is looked for: a table of an older bridge may lack some. */
  async #mayUseOwnTables(): Promise<boolean> {
    const { rows } = await this.owner.query<{ may: boolean | null }>(
      `select bool_and(coalesce(has_table_privilege($1, to_regclass($2 || '.' || name), p), false)) as may
       from unnest($3::text[]) as name, unnest($4::text[]) as p`,
      [this.role, quoteName(OWN_SCHEMA), OWN_TABLES, RIGHTS],
    );
    return rows[0]?.may ?? false;
  }
}
