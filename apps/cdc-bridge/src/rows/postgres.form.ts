import type { Pool } from 'pg';
import { keyText } from '../mapping/key-text.js';
import type { Column } from '../postgres/table-columns.js';
import type { Put } from '../sinks/compaction.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import { type BsonDocument, setField } from '../values/bson-value.js';
import { toBson } from '../values/postgres-to-bson.js';
import { baseType, type PostgresType, readExpression, writeExpression } from '../values/postgres-type.js';
import { ValueFault } from '../values/value.fault.js';
import { isRefused } from './postgres.table.js';

type Texts = readonly (string | null)[];

/**
 * Rows as Postgres would give them back, which only Postgres knows: the scale of a numeric, the blanks of a char, a
 * date in another style, `jsonb` in its own order.
 */
export class PostgresForm {
  readonly #text: string;

  constructor(
    private readonly pool: Pool,
    private readonly columns: readonly Column[],
    private readonly key: readonly Column[],
  ) {
    const arrays = columns.map((_, i) => `$${i + 1}::text[]`).join(', ');
    const list = columns.map(({ type, castType, sqlType }, i) =>
      readExpression(type, `(${writeExpression(type, castType, `v.c${i}`)}::${sqlType})`),
    );
    const names = columns.map((_, i) => `c${i}`).join(', ');
    this.#text = `select ${list.join(', ')} from unnest(${arrays}) with ordinality as v(${names}, n) order by n`;
  }

  /** The rows in their order; one with a value that a column cannot hold comes with a `fault`. */
  async of(puts: readonly Put[]): Promise<Put[]> {
    const faults = new Map<Put, ValueFault>();
    const texts = new Map<Put, Texts>();
    for (const put of puts) {
      try {
        texts.set(
          put,
          this.columns.map((column) => textOf(column, put)),
        );
      } catch (fault) {
        if (!(fault instanceof ValueFault)) throw fault;
        faults.set(put, fault);
      }
    }
    const printed = new Map<Put, Texts>();
    await this.#print([...texts], printed, faults);
    return puts.map((put) => {
      const row = printed.get(put);
      return row ? this.#put(put, row) : faulty(put, faults.get(put));
    });
  }

  /** The form of rows that are nothing but their keys. */
  ofKeys(): PostgresForm {
    return new PostgresForm(this.pool, this.key, this.key);
  }

  async #print(rows: [Put, Texts][], printed: Map<Put, Texts>, faults: Map<Put, ValueFault>): Promise<void> {
    if (rows.length === 0) return;
    try {
      const values = this.columns.map((_, i) => rows.map(([, texts]) => texts[i] ?? null));
      const result = await this.pool.query<(string | null)[]>({ text: this.#text, values, rowMode: 'array' });
      for (const [i, [put]] of rows.entries()) printed.set(put, result.rows[i] ?? []);
    } catch (error) {
      if (!isRefused(error)) throw error;
      const [only] = rows;
      if (rows.length === 1 && only) {
        faults.set(only[0], new ValueFault((error as Error).message, { cause: error }));
        return;
      }
      const half = rows.length >> 1;
      await this.#print(rows.slice(0, half), printed, faults);
      await this.#print(rows.slice(half), printed, faults);
    }
  }

  #put(put: Put, texts: Texts): Put {
    const fields = rowOf(this.columns, texts);
    const keyFields: BsonDocument = {};
    for (const { name } of this.key) setField(keyFields, name, fields[name] ?? null);
    return { ...put, key: { text: keyText(this.key, keyFields), fields: keyFields }, fields };
  }
}

/** A row's fields, of the texts of its columns, so that they can be written again. */
export function rowOf(columns: readonly Column[], texts: Texts): BsonDocument {
  const fields: BsonDocument = {};
  for (const [i, { name, type }] of columns.entries()) {
    // What JSON lacks was written as Extended JSON, and is read as that.
    const fidelity = isJson(type) ? 'paired' : 'exact';
    setField(fields, name, toBson(type, texts[i] ?? null, fidelity));
  }
  return fields;
}

function isJson(type: PostgresType): boolean {
  const base = baseType(type);
  return base.kind === 'array' && base.of ? isJson(base.of) : /^jsonb?$/.test(base.name);
}

function textOf({ name, type }: Column, { fields }: Put): string | null {
  try {
    return toPostgres(type, Object.hasOwn(fields, name) ? (fields[name] ?? null) : null, 'exact');
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    throw new ValueFault(`column ${name}: ${error.message}`, { cause: error });
  }
}

function faulty(put: Put, fault = new ValueFault('a value that the table cannot hold')): Put {
  const omitted = Object.keys(put.fields).filter((name) => !Object.hasOwn(put.key.fields, name));
  return { ...put, fields: put.key.fields, omitted, isNew: true, fault };
}
