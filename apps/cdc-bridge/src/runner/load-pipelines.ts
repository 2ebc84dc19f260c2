import { readFile } from 'node:fs/promises';
import type { Log } from '@millrace/messaging';
import pg from 'pg';
import type { DatabaseSettings } from '../databases/database-settings.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import { readPipelinesFile } from '../pipelines/pipelines.file.js';
import { expandWildcards, wildcardOf } from '../pipelines/wildcard.js';
import type { TableName } from '../postgres/identifier.js';

const CONNECT_TIMEOUT_MS = 5_000;

export interface LoadedPipelines {
  readonly pipelines: readonly Pipeline[];
  /** The file and the line of the entry that a pipeline comes from: `pipelines.yaml:12`. */
  placeOf(pipeline: Pipeline): string;
}

/**
 * The pipelines of a file, a pipeline for each table in the place of a wildcard; what wildcards add is logged.
 * @throws PipelinesFileError with every fault and its line
 * @throws Error where the file cannot be read, or the database of a wildcard does not answer
 */
export async function loadPipelines(
  file: string,
  databases: readonly DatabaseSettings[],
  log: Log,
): Promise<LoadedPipelines> {
  const names = (kind: DatabaseSettings['kind']) =>
    databases.filter((database) => database.kind === kind).map(({ name }) => name);
  const { pipelines, lineOf, faulty } = readPipelinesFile(file, await read(file), {
    postgres: names('postgres'),
    mongo: names('mongo'),
  });
  const tables: Record<string, TableName[]> = {};
  for (const name of wildcardDatabases(pipelines)) {
    const found = databases.find((database) => database.name === name);
    if (found) tables[name] = await tablesOf(found);
  }
  const expansion = expandWildcards(pipelines, { tables, ownSchemas: [OWN_SCHEMA], outboxes: ['outbox'] });
  if (expansion.faults.length > 0) throw faulty(expansion.faults);
  for (const { pipeline, tables, unnamable } of expansion.added) {
    log.info(`the wildcard of ${pipeline} stands for ${tables.join(', ') || 'no table'}`, {
      pipeline,
      tables,
    });
    if (unnamable.length > 0)
      log.info(
        `the wildcard of ${pipeline} leaves out ${unnamable.join(', ')}, by whose names MongoDB takes no collection: give each an entry of its own`,
        { pipeline, tables: unnamable },
      );
  }
  const placeOf = (pipeline: Pipeline) => {
    const entry = wildcardOf(pipeline) ?? pipeline.name;
    return `${file}:${lineOf(['pipelines', pipelines.findIndex(({ name }) => name === entry)])}`;
  };
  return { pipelines: expansion.pipelines, placeOf };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`PIPELINES_FILE names ${file}, which cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function wildcardDatabases(pipelines: readonly Pipeline[]): Set<string> {
  return new Set(
    pipelines.flatMap((pipeline) =>
      'from' in pipeline && 'postgres' in pipeline.from && pipeline.from.table.endsWith('.*')
        ? [pipeline.from.postgres]
        : [],
    ),
  );
}

/** The tables that the role may know of; a partition's changes come under its parent's name. */
async function tablesOf({ name, url }: DatabaseSettings): Promise<TableName[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => {}); // the statement under way tells of it
  try {
    await client.connect();
    const { rows } = await client.query<TableName>(
      `select n.nspname as schema, c.relname as "table" from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
         and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
       order by 1, 2`,
    );
    return rows;
  } catch (cause) {
    throw new Error(`the tables of ${name} cannot be listed: ${(cause as Error).message}`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}
