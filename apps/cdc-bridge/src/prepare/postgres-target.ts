import type pg from 'pg';
import { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import { sourceMemoryOf } from '../control/control.js';
import { PostgresControl } from '../control/postgres.control.js';
import type { DatabaseSettings } from '../databases/database-settings.js';
import type { Step } from '../databases/step.js';
import { targetTable } from '../mapping/target-table.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { MongoToPostgres } from '../pipelines/pipeline.schema.js';
import { GrantedRights, type NeededRights } from '../postgres/granted-rights.js';
import { quoteName, quoteTable, tableNameOf } from '../postgres/identifier.js';
import { connectOwner, runSteps } from '../postgres/owner.connection.js';
import { hasTable } from '../postgres/table-columns.js';
import { TABLE_RIGHTS, writingRights } from '../postgres/writing-rights.js';

const OWN_TABLES = ['checkpoints', 'pipelines'];

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
    return [
      ...(own ? [] : [this.#ownTables()]),
      ...(await this.#tablesToMake(pipelines)),
      ...(await this.#rightSteps(pipelines)),
    ];
  }

  /** @throws StepFailed; see `runSteps` */
  apply(steps: readonly Step[]): Promise<void> {
    return runSteps(this.owner, steps);
  }

  /** What takes back the rights that nobody needs but a pipeline. */
  async release(pipeline: string): Promise<Step[]> {
    return (await GrantedRights.read(this.owner)).revocations((holder) => holder === pipeline);
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
grant ${TABLE_RIGHTS.join(', ')} on ${tables} to ${role}`,
    };
  }

  async #tablesToMake(pipelines: readonly MongoToPostgres[]): Promise<Step[]> {
    const steps: Step[] = [];
    for (const pipeline of pipelines) {
      const table = tableNameOf(pipeline.to.table);
      if (await hasTable(this.owner, table)) continue;
      const make = targetTable(pipeline);
      if (!make)
        throw new Error(`${pipeline.name}: there is no table ${quoteTable(table)}, and create is not set`);
      steps.push(make);
    }
    return steps;
  }

  async #rightSteps(pipelines: readonly MongoToPostgres[]): Promise<Step[]> {
    const needed: NeededRights[] = [];
    for (const { name: holder, to } of pipelines) {
      const whose = { role: this.role, holder };
      needed.push(...(await writingRights(this.owner, tableNameOf(to.table), whose)));
    }
    const rights = await GrantedRights.read(this.owner);
    const isOurs = (holder: string) => pipelines.some(({ name }) => name === holder);
    return [...(await rights.grants(needed)), ...rights.revocations(isOurs, needed)];
  }

  /** Every right is looked for, and the newest column: a table of an older bridge may lack some. */
  async #mayUseOwnTables(): Promise<boolean> {
    const { rows } = await this.owner.query<{ may: boolean | null }>(
      `select bool_and(coalesce(has_table_privilege($1, to_regclass($2 || '.' || name), p), false)) and
         exists (select from pg_attribute where attrelid = to_regclass($2 || '.pipelines') and attname = 'declaration') as may
       from unnest($3::text[]) as name, unnest($4::text[]) as p`,
      [this.role, quoteName(OWN_SCHEMA), OWN_TABLES, TABLE_RIGHTS],
    );
    return rows[0]?.may ?? false;
  }
}
