import type { TableName } from '../postgres/identifier.js';
import { sourcesOf, targetsOf } from './endpoint.js';
import { collection, isTwoWay, type Pipeline, type PostgresToMongo } from './pipeline.schema.js';
import { clashes, type RuleFault } from './pipelines.rules.js';

/** No entry's own name has it. */
const SEPARATOR = '.';

/** What Postgres has, and what a wildcard never takes. */
export interface TableCatalog {
  /** The tables of each named database. */
  readonly tables: Readonly<Record<string, readonly TableName[]>>;
  /** The schemas in which the bridge keeps its own tables. */
  readonly ownSchemas: readonly string[];
  /** Tables by name, in whatever schema, that publish events: `outbox`. */
  readonly outboxes: readonly string[];
}

export interface Expansion {
  readonly pipelines: readonly Pipeline[];
  /** What the wildcards stand for, and what they leave out as no collection can have its name: to be told at start. */
  readonly added: readonly {
    readonly pipeline: string;
    readonly tables: readonly string[];
    readonly unnamable: readonly string[];
  }[];
  /** What is wrong only now: two pipelines into one target, a cycle. */
  readonly faults: readonly RuleFault[];
}

/**
 * Puts a pipeline for each table in the place of one with `schema.*`: never for the bridge's own tables, an
 * outbox, a target of any pipeline, a table that has an entry of its own, or one by whose name MongoDB takes no
 * collection.
 * @param pipelines one for each entry of the file, in its order
 */
export function expandWildcards(pipelines: readonly Pipeline[], catalog: TableCatalog): Expansion {
  const taken = new Set(
    pipelines
      .flatMap((pipeline) => [...sourcesOf(pipeline), ...targetsOf(pipeline)])
      .filter(({ kind }) => kind === 'postgres')
      .map(({ database, name }) => JSON.stringify([database, name])),
  );
  const added: Expansion['added'][number][] = [];
  const entries = pipelines.flatMap((pipeline, index): { index: number; pipeline: Pipeline }[] => {
    if (!isWildcard(pipeline)) return [{ index, pipeline }];
    const { postgres } = pipeline.from;
    const schema = pipeline.from.table.slice(0, -2);
    const tables = (catalog.tables[postgres] ?? [])
      .filter((table) => table.schema === schema && !catalog.ownSchemas.includes(table.schema))
      .map(({ table }) => table)
      .filter((table) => !catalog.outboxes.includes(table))
      .filter((table) => !taken.has(JSON.stringify([postgres, `${schema}.${table}`])))
      .sort();
    const { fit = [], unnamable = [] } = Object.groupBy(tables, (table) =>
      collection.safeParse(collectionOf(pipeline, table)).success ? 'fit' : 'unnamable',
    );
    const shown = (some: readonly string[]) => some.map((table) => `${schema}.${table}`);
    added.push({ pipeline: pipeline.name, tables: shown(fit), unnamable: shown(unnamable) });
    return fit.map((table) => ({ index, pipeline: forTable(pipeline, schema, table) }));
  });
  return { pipelines: entries.map(({ pipeline }) => pipeline), added, faults: clashes(entries) };
}

/** The name of the wildcard that a pipeline comes from; undefined where it has an entry of its own. */
export function wildcardOf({ name }: Pipeline): string | undefined {
  const dot = name.indexOf(SEPARATOR);
  return dot < 0 ? undefined : name.slice(0, dot);
}

function isWildcard(pipeline: Pipeline): pipeline is PostgresToMongo {
  return !isTwoWay(pipeline) && 'postgres' in pipeline.from && pipeline.from.table.endsWith('.*');
}

function forTable(pipeline: PostgresToMongo, schema: string, table: string): PostgresToMongo {
  return {
    ...pipeline,
    name: `${pipeline.name}${SEPARATOR}${table}`,
    from: { ...pipeline.from, table: `${schema}.${table}` },
    to: { ...pipeline.to, collection: collectionOf(pipeline, table) },
  };
}

function collectionOf({ to }: PostgresToMongo, table: string): string {
  return to.collection.replace('*', () => table);
}
