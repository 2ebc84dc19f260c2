import { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { collections, database, tables } from './pipeline.schema.js';

const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const side = z.object({
  postgres: maybe(database),
  table: maybe(tables),
  mongo: maybe(database),
  collection: maybe(collections),
});

const draft = z.object({
  name: maybe(z.string()),
  from: maybe(side),
  to: maybe(side),
  between: maybe(z.array(side.catch({}))),
  rename: maybe(z.record(z.string(), maybe(z.string()))),
  drop: maybe(z.array(maybe(z.string()))),
  columns: maybe(z.record(z.string(), z.unknown())),
  rest: maybe(z.string()),
});

/** What the rules ask of an entry; without the parts that cannot be read. Any pipeline is one. */
export type Draft = z.output<typeof draft>;

/** An end of a pipeline, as far as it can be read. */
export type DraftEnd = Pick<Endpoint, 'kind' | 'path'> & {
  readonly database: string | undefined;
  readonly name: string | undefined;
};

/** Each part of an entry that can be read, whatever its other parts are like. */
export function draftOf(entry: unknown): Draft {
  return draft.catch({}).parse(entry);
}

/** What a pipeline reads and what it writes; of a pair both sides are both. */
export function endsOf({ from, to, between }: Draft): { sources: DraftEnd[]; targets: DraftEnd[] } {
  if (between) {
    const sides = between.map((each, i) => endOf(each, ['between', i]));
    return { sources: sides, targets: sides };
  }
  return { sources: from ? [endOf(from, ['from'])] : [], targets: to ? [endOf(to, ['to'])] : [] };
}

export function isWhole(end: DraftEnd): end is Endpoint {
  return end.database !== undefined && end.name !== undefined;
}

function endOf(
  { postgres, table, mongo, collection }: z.output<typeof side>,
  path: Endpoint['path'],
): DraftEnd {
  return postgres === undefined
    ? { kind: 'mongo', path, database: mongo, name: collection }
    : { kind: 'postgres', path, database: postgres, name: table };
}
