import type { Pool } from 'pg';
import type { CollectionMapping } from '../mapping/collection.mapping.js';
import { keyText } from '../mapping/key-text.js';
import type { TableName } from '../postgres/identifier.js';
import type { Column } from '../postgres/table-columns.js';
import type { Key } from '../sinks/compaction.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import { type BsonDocument, setField } from '../values/bson-value.js';
import { rowOf } from './postgres.form.js';
import { PostgresTable, type Texts } from './postgres.table.js';
import type { TargetRow, TargetRows } from './rows.js';

/** The rows of a pipeline's table: the columns that it writes. */
export class PostgresTargetRows implements TargetRows {
  readonly #table: PostgresTable;
  readonly #key: readonly Column[];

  constructor(
    pool: Pool,
    table: TableName,
    private readonly mapping: CollectionMapping,
  ) {
    this.#key = mapping.key.map(({ column }) => column);
    this.#table = new PostgresTable(pool, table, mapping.columns, this.#key);
  }

  async *all(signal: AbortSignal): AsyncGenerator<readonly TargetRow[]> {
    for await (const rows of this.#table.all(signal)) yield rows.map(this.#row);
  }

  async read(keys: readonly Key[]): Promise<readonly TargetRow[]> {
    const texts = keys.map(({ fields }) =>
      this.#key.map(({ name, type }) => toPostgres(type, fields[name] ?? null, 'exact')),
    );
    return (await this.#table.read(texts)).map(this.#row);
  }

  readonly #row = (texts: Texts): TargetRow => {
    const { columns } = this.mapping;
    const fields = rowOf(
      columns,
      columns.map(({ name }) => texts.get(name) ?? null),
    );
    const key: BsonDocument = {};
    for (const { name } of this.#key) setField(key, name, fields[name] ?? null);
    return { key: { text: keyText(this.#key, key), fields: key }, fields };
  };
}
