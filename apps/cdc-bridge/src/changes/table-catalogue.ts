import type { PostgresDatabase } from '../databases/named-databases.js';
import { TableMapping } from '../mapping/table.mapping.js';
import type { PostgresToMongo } from '../pipelines/pipeline.schema.js';
import type { TableName } from '../postgres/identifier.js';
import { LentConnection } from '../postgres/lent-connection.js';
import { readColumns } from '../postgres/table-columns.js';
import { SourceUnavailable } from './change-reader.js';

/** What the source's catalogue says of a table, as it was last asked. */
export class TableCatalogue {
  #mapping: TableMapping;

  private constructor(
    private readonly database: PostgresDatabase,
    readonly table: TableName,
    private readonly pipeline: PostgresToMongo,
    mapping: TableMapping,
  ) {
    this.#mapping = mapping;
  }

  /**
   * @throws Error where there is no such table, or the pipeline does not fit it
   * @throws SourceUnavailable
   */
  static async open(
    database: PostgresDatabase,
    table: TableName,
    pipeline: PostgresToMongo,
  ): Promise<TableCatalogue> {
    const mapping = await readMapping(database, table, pipeline);
    return new TableCatalogue(database, table, pipeline, mapping);
  }

  get mapping(): TableMapping {
    return this.#mapping;
  }

  /** @throws SourceUnavailable */
  async readAgain(): Promise<void> {
    try {
      this.#mapping = await readMapping(this.database, this.table, this.pipeline);
    } catch (cause) {
      throw new SourceUnavailable(`${this.pipeline.from.table}: ${(cause as Error).message}`, { cause });
    }
  }
}

async function readMapping(
  { pool, name }: PostgresDatabase,
  table: TableName,
  pipeline: PostgresToMongo,
): Promise<TableMapping> {
  using connection = await LentConnection.of(pool).catch((cause: Error) => {
    throw new SourceUnavailable(`the Postgres database ${name} did not answer: ${cause.message}`, { cause });
  });
  const columns = await readColumns(connection.client, table);
  connection.isSound = true;
  return new TableMapping(columns, pipeline);
}
