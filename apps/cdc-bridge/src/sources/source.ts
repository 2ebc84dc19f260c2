import type { DatabaseSettings } from '../databases/database-settings.js';
import { sourcesOf } from '../pipelines/endpoint.js';
import { isTwoWay, type Pipeline } from '../pipelines/pipeline.schema.js';

/** A table or collection whose changes flow into its topic. */
export interface Captured {
  /** `schema.table`, or the name of a collection. */
  readonly name: string;
  /** Whether the rows that are there flow first. */
  readonly snapshot: boolean;
  /** Declared to have no updates and deletes: flows also without a key. */
  readonly appendOnly: boolean;
  /** The longest delay of its pipelines, in milliseconds. */
  readonly delayMs: number;
}

/** A database with what is captured of it. */
export interface Source {
  readonly kind: 'postgres' | 'mongo';
  /** As pipelines name it. */
  readonly name: string;
  readonly captured: readonly Captured[];
}

/** A source as the deploy step reaches it. */
export interface PreparedSource extends Source {
  readonly settings: Required<DatabaseSettings>;
}

/** Two-way pairs need no snapshot: their baseline compares both sides itself. */
export function sourcesOfPipelines(pipelines: readonly Pipeline[]): Source[] {
  const sources = new Map<string, { kind: Source['kind']; name: string; captured: Map<string, Captured> }>();
  for (const pipeline of pipelines) {
    for (const { kind, database, name } of sourcesOf(pipeline)) {
      const source = sources.get(database) ?? { kind, name: database, captured: new Map() };
      sources.set(database, source);
      source.captured.set(name, merged(source.captured.get(name), needs(name, pipeline)));
    }
  }
  return [...sources.values()].map((source) => ({
    ...source,
    captured: [...source.captured.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

/** Databases of the environment that no pipeline reads. */
export function unread<T extends Pick<DatabaseSettings, 'name'>>(
  databases: readonly T[],
  pipelines: readonly Pipeline[],
): T[] {
  const read = new Set(sourcesOfPipelines(pipelines).map(({ name }) => name));
  return databases.filter(({ name }) => !read.has(name));
}

function needs(name: string, pipeline: Pipeline): Captured {
  if (isTwoWay(pipeline)) return { name, snapshot: false, appendOnly: false, delayMs: 0 };
  return {
    name,
    snapshot: pipeline.snapshot === 'initial',
    appendOnly: 'appendOnly' in pipeline && pipeline.appendOnly,
    delayMs: pipeline.delay ?? 0,
  };
}

function merged(a: Captured | undefined, b: Captured): Captured {
  if (!a) return b;
  return {
    name: a.name,
    snapshot: a.snapshot || b.snapshot,
    appendOnly: a.appendOnly && b.appendOnly,
    delayMs: Math.max(a.delayMs, b.delayMs),
  };
}
