import { describeEndpoint, type Endpoint, isSame, sourcesOf, targetsOf } from './endpoint.js';
import { isTwoWay, type Pipeline, type PostgresToMongo, type TwoWayPipeline } from './pipeline.schema.js';

/** The names that the environment gives to databases. */
export interface DatabaseNames {
  readonly postgres: readonly string[];
  readonly mongo: readonly string[];
}

/** A pipeline and its place in the file's list. */
export interface Entry {
  readonly index: number;
  readonly pipeline: Pipeline;
}

export interface RuleFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Checks what a single entry cannot show: names, databases, targets and cycles. */
export function checkRules(entries: readonly Entry[], names: DatabaseNames): RuleFault[] {
  return [
    ...repeatedNames(entries),
    ...unknownDatabases(entries, names),
    ...clashes(entries),
    ...entries.flatMap(fieldFaults),
  ];
}

/** Checks how pipelines meet; to be asked again once wildcards are expanded. */
export function clashes(entries: readonly Entry[]): RuleFault[] {
  return [...sharedTargets(entries), ...cycles(entries)];
}

function repeatedNames(entries: readonly Entry[]): RuleFault[] {
  const first = new Map<string, number>();
  return entries.flatMap(({ index, pipeline: { name } }) => {
    if (!first.has(name)) {
      first.set(name, index);
      return [];
    }
    return [{ path: ['pipelines', index, 'name'], message: `the name ${name} is taken by another pipeline` }];
  });
}

function unknownDatabases(entries: readonly Entry[], names: DatabaseNames): RuleFault[] {
  return entries.flatMap(({ index, pipeline }) => {
    const ends = isTwoWay(pipeline) ? targetsOf(pipeline) : [...sourcesOf(pipeline), ...targetsOf(pipeline)];
    return ends
      .filter(({ kind, database }) => !names[kind].includes(database))
      .map(({ kind, database, path }) => ({
        path: ['pipelines', index, ...path, kind],
        message: `the environment names no ${kind} database ${database}; it names ${names[kind].join(', ') || 'none'}`,
      }));
  });
}

function sharedTargets(entries: readonly Entry[]): RuleFault[] {
  const faults: RuleFault[] = [];
  for (const [i, { index, pipeline }] of entries.entries()) {
    for (const target of targetsOf(pipeline)) {
      const other = entries
        .slice(0, i)
        .find((entry) => targetsOf(entry.pipeline).some((t) => isSame(t, target)));
      if (!other) continue;
      faults.push({
        path: ['pipelines', index, ...target.path],
        message: `${describeEndpoint(target)} is already a target of the pipeline ${other.pipeline.name}`,
      });
    }
  }
  return faults;
}

/** One fault for each pipeline that closes a cycle of one-way pipelines. */
function cycles(entries: readonly Entry[]): RuleFault[] {
  const oneWay = entries.filter(({ pipeline }) => !isTwoWay(pipeline));
  const end = (ends: Endpoint[]) => ends[0] as Endpoint;
  const next = ({ pipeline }: Entry) =>
    oneWay.filter((entry) => isSame(end(targetsOf(pipeline)), end(sourcesOf(entry.pipeline))));
  return oneWay.flatMap((entry) => {
    const way = wayBack(entry, next);
    // Told once, where the file's reader meets it last.
    if (!way || way.some(({ index }) => index > entry.index)) return [];
    const names = [...way, way[0] as Entry].map(({ pipeline }) => pipeline.name);
    return [
      {
        path: ['pipelines', entry.index],
        message: `a cycle: ${names.join(' → ')}; to keep both sides equal, use between`,
      },
    ];
  });
}

/** The pipelines from `start` along `next` to itself, if there are such. */
function wayBack(start: Entry, next: (entry: Entry) => Entry[]): Entry[] | undefined {
  const ways: Entry[][] = [[start]];
  const seen = new Set<Entry>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    for (const entry of next(way.at(-1) as Entry)) {
      if (entry === start) return way;
      if (!seen.has(entry)) ways.push([...way, entry]);
      seen.add(entry);
    }
  }
  return undefined;
}

function fieldFaults({ index, pipeline }: Entry): RuleFault[] {
  if (!('rename' in pipeline)) return restFaults(index, pipeline);
  return [...wildcardFaults(index, pipeline), ...renameFaults(index, pipeline)];
}

function wildcardFaults(index: number, pipeline: Pipeline): RuleFault[] {
  const [source, target] = [sourcesOf(pipeline)[0], targetsOf(pipeline)[0]];
  if (source?.name.includes('*') === target?.name.includes('*')) return [];
  const message = 'schema.* needs a collection with *, and one table a collection without';
  return [{ path: ['pipelines', index, 'to', 'collection'], message }];
}

function renameFaults(index: number, pipeline: PostgresToMongo | TwoWayPipeline): RuleFault[] {
  const names = new Map<string, string>();
  return Object.entries(pipeline.rename).flatMap(([field, name]) => {
    const path = ['pipelines', index, 'rename', field];
    if (pipeline.drop.includes(field))
      return [{ path, message: `${field} is dropped and cannot be renamed` }];
    const other = names.get(name);
    names.set(name, field);
    return other === undefined ? [] : [{ path, message: `${other} and ${field} would both be ${name}` }];
  });
}

function restFaults(index: number, pipeline: { columns: object; rest?: string | undefined }): RuleFault[] {
  if (pipeline.rest === undefined || !Object.hasOwn(pipeline.columns, pipeline.rest)) return [];
  return [{ path: ['pipelines', index, 'rest'], message: `${pipeline.rest} is one of the columns already` }];
}
