import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { CheckpointMoved, type Move } from '../checkpoints/checkpoint.js';
import type { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import { shown, type TableName } from '../postgres/identifier.js';
import { type KeySequence, passKeys, sequencesOf } from '../postgres/key-sequence.js';
import { type Column, keyColumns, readColumns } from '../postgres/table-columns.js';
import { inTransaction } from '../postgres/transaction.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import type { Fields, Key, Put } from './compaction.js';
import { PostgresStatements } from './postgres.statements.js';
import { fromPostgres, RowsMissing } from './sink.error.js';
import type { CompleteEffects, Sink } from './sink.js';
import { within } from './within.js';

/** Milliseconds that a repair may hold the locks while it reads at the source. */
const LOCKED_MS = 10_000;

/** Writes a pipeline's rows to one table: a delete, an upsert and the checkpoint in one transaction. */
export class PostgresSink implements Sink {
  readonly #statements: PostgresStatements;

  private constructor(
    readonly pool: Pool,
    readonly checkpoints: PostgresCheckpoints,
    table: TableName,
    columns: readonly Column[],
    /** Of the key's columns: an application must not draw a key that came from the source. */
    readonly sequences: readonly KeySequence[],
  ) {
    this.#statements = new PostgresStatements(table, columns);
  }

  /**
   * @param pool of connections with `POSTGRES_SESSION` and a statement timeout; stays the caller's
   * @param columns the names that the pipeline writes
   * @throws Error where the table lacks one of them, or a primary key within them
   */
  static async open(
    pool: Pool,
    checkpoints: PostgresCheckpoints,
    table: TableName,
    columns: readonly string[],
  ): Promise<PostgresSink> {
    const known = await readColumns(pool, table);
    const where = shown(table);
    const written = columns.map((name) => {
      const column = known.find((candidate) => candidate.name === name);
      if (!column) throw new Error(`the table ${where} has no column ${name}`);
      if (column.generated) throw new Error(`the column ${name} of ${where} is generated: drop it`);
      return column;
    });
    const key = keyColumns(known);
    if (key.length === 0) throw new Error(`the table ${where} has no primary key`);
    const missing = key.find((column) => !written.includes(column));
    if (missing) throw new Error(`nothing is mapped to ${missing.name}, part of the key of ${where}`);
    const sequences = await sequencesOf(pool, table, { columns: key });
    const granted = sequences.filter((sequence) => sequence.granted);
    return new PostgresSink(pool, checkpoints, table, written, granted);
  }

  async apply(effects: CompleteEffects, move: Move): Promise<void> {
    try {
      await inTransaction(this.pool, async (client) => {
        await this.checkpoints.move(client, move);
        await this.#write(client, effects);
      });
    } catch (error) {
      throw error instanceof CheckpointMoved || error instanceof RowsMissing ? error : fromPostgres(error);
    }
  }

  async repair(pipeline: string, effectsOf: () => Promise<CompleteEffects>): Promise<CompleteEffects> {
    let isOurs = true;
    try {
      return await inTransaction(this.pool, async (client) => {
        await this.checkpoints.lock(client, pipeline);
        isOurs = false;
        const effects = await within(LOCKED_MS, effectsOf());
        isOurs = true;
        await this.#write(client, effects);
        return effects;
      });
    } catch (error) {
      throw !isOurs || error instanceof RowsMissing ? error : fromPostgres(error);
    }
  }

  async #write(client: PoolClient, effects: CompleteEffects): Promise<void> {
    // Deletes first: a row that moved to another key may keep its unique values.
    await this.#delete(client, effects.deletes);
    await this.#upsert(client, effects.puts);
    await this.#patch(client, effects.patches);
  }

  async #delete(client: PoolClient, keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    const { key } = this.#statements;
    const rows = keys.map(({ fields }) => fields);
    await prepared(client, this.#statements.delete(), arrays(key, rows));
  }

  async #upsert(client: PoolClient, puts: readonly Put[]): Promise<void> {
    if (puts.length === 0) return;
    const { columns, key } = this.#statements;
    const rows = puts.map(({ fields }) => fields);
    await prepared(client, this.#statements.upsert(), arrays(columns, rows));
    if (this.sequences.length === 0) return;
    const parts = arrays(key, rows);
    await passKeys(
      client,
      this.sequences,
      rows.map((_, i) => parts.map((texts) => texts[i] ?? '0')),
    );
  }

  /** One statement for each set of columns that changes leave out. */
  async #patch(client: PoolClient, patches: readonly Put[]): Promise<void> {
    const missing: string[] = [];
    const { key, columns } = this.#statements;
    for (const group of Map.groupBy(patches, ({ omitted }) => JSON.stringify([...omitted].sort())).values()) {
      const omitted = new Set(group[0]?.omitted);
      const others = columns.filter(({ name, keyPosition }) => keyPosition === null && !omitted.has(name));
      if (others.length === 0) continue;
      const rows = group.map(({ fields }) => fields);
      const found = await prepared<{ n: string }>(
        client,
        this.#statements.patch(others),
        arrays([...key, ...others], rows),
      );
      const numbers = new Set(found.map(({ n }) => Number(n)));
      missing.push(
        ...group.filter((put, i) => !put.ifThere && !numbers.has(i + 1)).map((put) => put.key.text),
      );
    }
    if (missing.length > 0) throw new RowsMissing(missing);
  }
}

/** One array of texts per column; a field that is missing is null. */
function arrays(columns: readonly Column[], rows: readonly Fields[]): (string | null)[][] {
  return columns.map(({ name, type }) =>
    rows.map((fields) => {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return value === undefined ? null : textOf(name, type, value);
    }),
  );
}

/** @throws ValueFault that names the column */
function textOf(name: string, type: Column['type'], value: BsonValue): string | null {
  try {
    return toPostgres(type, value, 'exact');
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    throw new ValueFault(`column ${name}: ${error.message}`, { cause: error });
  }
}

async function prepared<R extends object>(client: PoolClient, text: string, values: unknown[]): Promise<R[]> {
  const name = createHash('sha256').update(text).digest('base64url');
  return (await client.query<R>({ name, text, values })).rows;
}
