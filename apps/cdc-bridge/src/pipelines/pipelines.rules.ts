import { describeEndpoint, identityOf } from './endpoint.js';
import { type Draft, type DraftEnd, endsOf, isWhole } from './pipelines.draft.js';

/** The names that the environment gives to databases. */
export interface DatabaseNames {
  readonly postgres: readonly string[];
  readonly mongo: readonly string[];
}

/** A pipeline, as far as it can be read, and the place of its entry in the file's list. */
export interface Entry {
  readonly index: number;
  readonly pipeline: Draft;
}

export interface RuleFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * Checks what a single entry cannot show: names, databases, targets and cycles. Each rule looks at what it needs
 * alone, so that an entry with a fault elsewhere is checked as well.
 */
export function checkRules(entries: readonly Entry[], names: DatabaseNames): RuleFault[] {
  return [
    ...repeatedNames(entries),
    ...unknownDatabases(entries, names),
    ...clashes(entries),
    ...entries.flatMap((entry) => [...wildcardFaults(entry), ...renameFaults(entry), ...restFaults(entry)]),
  ];
}

/** Checks how pipelines meet; to be asked again once wildcards are expanded. */
export function clashes(entries: readonly Entry[]): RuleFault[] {
  return [...sharedTargets(entries), ...cycles(entries)];
}

function repeatedNames(entries: readonly Entry[]): RuleFault[] {
  const taken = new Set<string>();
  return entries.flatMap(({ index, pipeline: { name } }) => {
    if (name === undefined) return [];
    if (taken.has(name))
      return [
        { path: ['pipelines', index, 'name'], message: `the name ${name} is taken by another pipeline` },
      ];
    taken.add(name);
    return [];
  });
}

function unknownDatabases(entries: readonly Entry[], names: DatabaseNames): RuleFault[] {
  return entries.flatMap(({ index, pipeline }) => {
    const { sources, targets } = endsOf(pipeline);
    return [...new Set([...sources, ...targets])].flatMap(({ kind, database, path }) => {
      if (database === undefined || names[kind].includes(database)) return [];
      const message = `the environment names no ${kind} database ${database}; it names ${names[kind].join(', ') || 'none'}`;
      return [{ path: ['pipelines', index, ...path, kind], message }];
    });
  });
}

function sharedTargets(entries: readonly Entry[]): RuleFault[] {
  const first = new Map<string, Entry>();
  return entries.flatMap((entry) =>
    endsOf(entry.pipeline)
      .targets.filter(isWhole)
      .flatMap((target) => {
        const identity = identityOf(target);
        const other = first.get(identity);
        if (!other) first.set(identity, entry);
        if (!other || other === entry) return [];
        const message = `${describeEndpoint(target)} is already a target of the pipeline ${nameOf(other)}`;
        return [{ path: ['pipelines', entry.index, ...target.path], message }];
      }),
  );
}

/** One fault for each pipeline that closes a cycle of one-way pipelines. */
function cycles(entries: readonly Entry[]): RuleFault[] {
  const oneWay = entries.filter(({ pipeline }) => !pipeline.between);
  const readers = Map.groupBy(oneWay, ({ pipeline }) => identityOfOnly(endsOf(pipeline).sources));
  const next = ({ pipeline }: Entry) => {
    const target = identityOfOnly(endsOf(pipeline).targets);
    return target === undefined ? [] : (readers.get(target) ?? []);
  };
  return oneWay.flatMap((entry, place) => {
    const way = wayBack(entry, next);
    // Told once, where the file's reader meets it last.
    if (!way || way.some((each) => oneWay.indexOf(each) > place)) return [];
    const names = [...way, way[0] as Entry].map(nameOf);
    return [
      {
        path: ['pipelines', entry.index],
        message: `a cycle: ${names.join(' → ')}; to keep both sides equal, use between`,
      },
    ];
  });
}

function identityOfOnly([end]: readonly DraftEnd[]): string | undefined {
  return end && isWhole(end) ? identityOf(end) : undefined;
}

function nameOf({ index, pipeline }: Entry): string {
  return pipeline.name ?? `number ${index + 1}`;
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

function wildcardFaults({ index, pipeline: { from, to } }: Entry): RuleFault[] {
  if (from?.table === undefined || to?.collection === undefined) return [];
  if (from.table.includes('*') === to.collection.includes('*')) return [];
  const message = 'schema.* needs a collection with *, and one table a collection without';
  return [{ path: ['pipelines', index, 'to', 'collection'], message }];
}

function renameFaults({ index, pipeline: { rename = {}, drop = [] } }: Entry): RuleFault[] {
  const names = new Map<string, string>();
  return Object.entries(rename).flatMap(([field, name]) => {
    const path = ['pipelines', index, 'rename', field];
    if (drop.includes(field)) return [{ path, message: `${field} is dropped and cannot be renamed` }];
    if (name === undefined) return [];
    const other = names.get(name);
    names.set(name, field);
    return other === undefined ? [] : [{ path, message: `${other} and ${field} would both be ${name}` }];
  });
}

function restFaults({ index, pipeline: { columns = {}, rest } }: Entry): RuleFault[] {
  if (rest === undefined || !Object.hasOwn(columns, rest)) return [];
  return [{ path: ['pipelines', index, 'rest'], message: `${rest} is one of the columns already` }];
}
