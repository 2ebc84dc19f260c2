import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import { type Column, keyColumns } from '../postgres/table-columns.js';
import { writeExpression } from '../values/postgres-type.js';

/**
 * The statements of a sink table. Each takes one array of texts per column, so that it stays the same, and
 * prepared, for a batch of any size.
 */
export class PostgresStatements {
  readonly key: readonly Column[];
  readonly #table: string;

  /** @param columns those that the pipeline writes: the whole primary key, and no generated one */
  constructor(
    table: TableName,
    readonly columns: readonly Column[],
  ) {
    this.#table = quoteTable(table);
    this.key = keyColumns(columns);
  }

  upsert(): string {
    const names = this.columns.map(({ name }) => quoteName(name));
    const others = this.columns
      .filter(({ keyPosition }) => keyPosition === null)
      .map(({ name }) => quoteName(name));
    const update = others.map((name) => `${name} = excluded.${name}`).join(', ');
    // The key may be an identity column: its values come from the source.
    return `insert into ${this.#table} (${names.join(', ')}) overriding system value
      select ${this.columns.map(value).join(', ')} from ${unnest(this.columns)}
      on conflict (${this.key.map(({ name }) => quoteName(name)).join(', ')})
      do ${update ? `update set ${update}` : 'nothing'}`;
  }

  /** Updates rows that must be there, the key's columns first among the parameters. */
  patch(others: readonly Column[]): string {
    const all = [...this.key, ...others];
    const sets = others.map(
      (column, i) => `${quoteName(column.name)} = ${value(column, this.key.length + i)}`,
    );
    return `update ${this.#table} t set ${sets.join(', ')} from ${unnest(all)}
      where ${this.#sameKey()} returning v.n`;
  }

  delete(): string {
    return `delete from ${this.#table} t using ${unnest(this.key)} where ${this.#sameKey()}`;
  }

  #sameKey(): string {
    return this.key.map((column, i) => `t.${quoteName(column.name)} = ${value(column, i)}`).join(' and ');
  }
}

/** The rows, with their number `n` from 1. */
function unnest(columns: readonly Column[]): string {
  const arrays = columns.map((_, i) => `$${i + 1}::text[]`).join(', ');
  const names = columns.map((_, i) => `c${i}`).join(', ');
  return `unnest(${arrays}) with ordinality as v(${names}, n)`;
}

function value({ type, castType }: Column, i: number): string {
  return writeExpression(type, castType, `v.c${i}`);
}
