import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { quoteName } from '../postgres/identifier.js';
import type { Control, ControlStore, LastError } from './control.js';

interface ControlRow {
  readonly pipeline: string;
  readonly paused: boolean;
  readonly sweep_id: string | null;
  readonly sweep_reason: string | null;
  readonly sweep_requested: string | null;
  readonly snapshot: string | null;
  readonly declaration: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly error_at: string | null;
}

/** Controls of the pipelines into a Postgres database, in the bridge's own schema. Times are milliseconds of Unix. */
export class PostgresControl implements ControlStore {
  readonly #table: string;

  constructor(
    private readonly pool: Pool,
    schema: string,
  ) {
    this.#table = `${quoteName(schema)}.pipelines`;
  }

  /** The statements that make the table where there is none, or one of an older bridge; the schema must be there. */
  static definition(schema: string): string {
    const table = `${quoteName(schema)}.pipelines`;
    return `create table if not exists ${table} (
      pipeline text primary key, paused boolean not null default false,
      sweep_id text, sweep_reason text, sweep_requested bigint, snapshot text,
      error_code text, error_message text, error_at bigint);
alter table ${table} add column if not exists declaration text`;
  }

  async all(): Promise<ReadonlyMap<string, Control>> {
    const { rows } = await this.pool.query<ControlRow>(`select * from ${this.#table}`);
    return new Map(rows.map((row) => [row.pipeline, controlOf(row)]));
  }

  setPaused(pipeline: string, paused: boolean): Promise<void> {
    return this.#set(pipeline, { paused });
  }

  requestSweep(pipeline: string, reason: string): Promise<void> {
    return this.#set(pipeline, {
      sweep_id: randomUUID(),
      sweep_reason: reason,
      sweep_requested: Date.now(),
    });
  }

  async sweepDone(pipeline: string, id: string): Promise<void> {
    await this.pool.query(
      `update ${this.#table} set sweep_id = null, sweep_reason = null, sweep_requested = null
       where pipeline = $1 and sweep_id = $2`,
      [pipeline, id],
    );
  }

  rememberSnapshot(pipeline: string, snapshot: string): Promise<void> {
    return this.#set(pipeline, { snapshot });
  }

  rememberDeclaration(pipeline: string, declaration: string): Promise<void> {
    return this.#set(pipeline, { declaration });
  }

  setLastError(pipeline: string, { code, message, at }: LastError): Promise<void> {
    return this.#set(pipeline, { error_code: code, error_message: message, error_at: at.getTime() });
  }

  async remove(pipeline: string): Promise<void> {
    await this.pool.query(`delete from ${this.#table} where pipeline = $1`, [pipeline]);
  }

  async #set(pipeline: string, values: Partial<Record<keyof ControlRow, unknown>>): Promise<void> {
    const names = Object.keys(values).map(quoteName);
    const places = names.map((_, i) => `$${i + 2}`);
    await this.pool.query(
      `insert into ${this.#table} (pipeline, ${names.join(', ')}) values ($1, ${places.join(', ')})
       on conflict (pipeline) do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      [pipeline, ...Object.values(values)],
    );
  }
}

function controlOf(row: ControlRow): Control {
  const { paused, sweep_id: id, snapshot, declaration, error_code: code } = row;
  return {
    paused,
    snapshot,
    declaration,
    sweep:
      id === null
        ? null
        : { id, reason: row.sweep_reason ?? '', requestedAt: new Date(Number(row.sweep_requested)) },
    lastError:
      code === null ? null : { code, message: row.error_message ?? '', at: new Date(Number(row.error_at)) },
  };
}
