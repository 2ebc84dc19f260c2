import { isTwoWay, type Pipeline } from './pipeline.schema.js';

/** A table or collection of a named database; its name may still have a wildcard. */
export interface Endpoint {
  readonly kind: 'postgres' | 'mongo';
  readonly database: string;
  readonly name: string;
  /** Where the file names it, below the pipeline's entry. */
  readonly path: readonly (string | number)[];
}

type Declared = { postgres: string; table: string } | { mongo: string; collection: string };

function endpoint(declared: Declared, path: Endpoint['path']): Endpoint {
  return 'postgres' in declared
    ? { kind: 'postgres', database: declared.postgres, name: declared.table, path }
    : { kind: 'mongo', database: declared.mongo, name: declared.collection, path };
}

/** What a pipeline reads. */
export function sourcesOf(pipeline: Pipeline): Endpoint[] {
  return isTwoWay(pipeline) ? sidesOf(pipeline.between) : [endpoint(pipeline.from, ['from'])];
}

/** What a pipeline writes. */
export function targetsOf(pipeline: Pipeline): Endpoint[] {
  return isTwoWay(pipeline) ? sidesOf(pipeline.between) : [endpoint(pipeline.to, ['to'])];
}

function sidesOf(between: readonly Declared[]): Endpoint[] {
  return between.map((side, i) => endpoint(side, ['between', i]));
}

/** Equal for what is the same table or collection, wherever the file names it. */
export function identityOf({ kind, database, name }: Endpoint): string {
  return JSON.stringify([kind, database, name]);
}

export function describeEndpoint({ kind, database, name }: Endpoint): string {
  return `${name} of the ${kind === 'postgres' ? 'Postgres' : 'MongoDB'} database ${database}`;
}
