import type { ClientBase } from 'pg';
import { PairMapping } from '../pairs/pair.mapping.js';
import {
  isTwoWay,
  type MongoToPostgres,
  type Pipeline,
  type PostgresToMongo,
  type TwoWayPipeline,
} from '../pipelines/pipeline.schema.js';
import { tableNameOf } from '../postgres/identifier.js';
import { type Column, hasTable, readColumns } from '../postgres/table-columns.js';
import { CollectionMapping } from './collection.mapping.js';
import { TableMapping } from './table.mapping.js';
import { pathOf, targetTable } from './target-table.js';

/** Pipelines that do not fit their tables: nothing was done for any of them. */
export class MappingRefused extends Error {
  readonly code = 'MAPPING_REFUSED';
  readonly canRetry = false;

  constructor(readonly faults: readonly string[]) {
    super(`nothing was done, because of pipelines that do not fit their tables:\n${faults.join('\n')}`);
  }
}

/** The Postgres database whose columns decide whether a pipeline can be. */
export function mappedDatabase(pipeline: Pipeline): string {
  if (isTwoWay(pipeline)) return pipeline.between[0].postgres;
  return 'rename' in pipeline ? pipeline.from.postgres : pipeline.to.postgres;
}

/**
 * What of pipelines cannot be with the tables as they are, a sentence each that begins with the place and the pipeline's name.
 * @param owner of the tables' owner, whom nothing is hidden from
 * @param pipelines whose `mappedDatabase` this is
 * @param placeOf where a pipeline is declared
 */
export async function mappingFaults(
  owner: ClientBase,
  pipelines: readonly Pipeline[],
  placeOf: (pipeline: Pipeline) => string,
): Promise<string[]> {
  const faults: string[] = [];
  for (const pipeline of pipelines) {
    try {
      if (isTwoWay(pipeline)) await checkPair(owner, pipeline);
      else if ('rename' in pipeline) await checkTable(owner, pipeline);
      else await checkCollection(owner, pipeline);
    } catch (error) {
      if (isAway(error)) throw error;
      faults.push(`${placeOf(pipeline)}: ${pipeline.name}: ${(error as Error).message}`);
    }
  }
  return faults;
}

async function checkPair(owner: ClientBase, { between, rename, drop, key, conflict }: TwoWayPipeline) {
  const columns = await columnsOf(owner, between[0].table);
  return new PairMapping(columns, { rename, drop, key, newest: conflict.newest });
}

async function checkTable(owner: ClientBase, pipeline: PostgresToMongo): Promise<TableMapping> {
  return new TableMapping(await columnsOf(owner, pipeline.from.table), pipeline);
}

/** A table that is yet to be made is checked by what it would be made of. */
async function checkCollection(owner: ClientBase, pipeline: MongoToPostgres): Promise<void> {
  const { to, columns, create } = pipeline;
  if (!create || (await hasTable(owner, tableNameOf(to.table)))) {
    new CollectionMapping(await columnsOf(owner, to.table, 'and create is not set'), pipeline);
    return;
  }
  targetTable(pipeline);
  for (const [name, declared] of Object.entries(columns)) {
    const { type = '' } = pathOf(declared);
    const { rows } = await owner.query<{ known: boolean }>('select to_regtype($1) is not null as known', [
      type,
    ]);
    if (!rows[0]?.known)
      throw new Error(
        `${to.table} cannot be made: ${type}, the type of the column ${name}, is none of Postgres’`,
      );
  }
}

async function columnsOf(owner: ClientBase, table: string, otherwise = 'make it first'): Promise<Column[]> {
  if (!(await hasTable(owner, tableNameOf(table))))
    throw new Error(`there is no table ${table}: ${otherwise}`);
  return readColumns(owner, tableNameOf(table));
}

/** A database that does not answer says nothing of a pipeline. */
function isAway(error: unknown): boolean {
  return /^(E[A-Z]+|(08|25|53|57).*)$/.test(String((error as { code?: unknown }).code ?? ''));
}
