import type { Route } from '../mapping/route.js';
import { readWithin } from '../rows/read-within.js';
import type { Change, Delete, Effects, Key, Put } from '../sinks/compaction.js';
import type { CompleteEffects } from '../sinks/sink.js';

/**
 * Reads again at the source what a batch does not tell whole.
 * @param missing keys, by their texts, that patches did not find at the target
 * @throws SourceUnavailable
 * @throws RowsTooLarge where fewer have to be read at once
 * @throws ValueFault where the source's own row has a value that the target cannot hold
 */
export async function completeEffects(
  {
    source,
    gone,
    pipeline: { delay },
  }: Pick<Route, 'source' | 'gone'> & { pipeline: { delay?: number | undefined } },
  { deletes, puts, patches, lacking, removals = [] }: Effects,
  missing: ReadonlySet<string>,
): Promise<CompleteEffects> {
  const unknown = [...lacking, ...patches.filter(({ key }) => missing.has(key.text))].map(({ key }) => key);
  if (unknown.length === 0) return { deletes, puts, patches, removals };
  const found = new Map<string, Put>();
  for (const put of await readWithin(source, unknown)) {
    if (put.fault) throw put.fault;
    found.set(put.key.text, put);
  }
  const now = new Date();
  const again = unknown.flatMap((key): Change[] => {
    // The deletion has a record of its own, which is due later.
    const change = found.get(key.text) ?? (delay ? null : gone(key, now));
    return change ? [change] : [];
  });
  return {
    deletes: inOrder([...deletes, ...again.filter(isDelete).map(({ key }) => key)], (key) => key),
    puts: inOrder([...puts, ...again.filter(isPut).filter(isWhole)], ({ key }) => key),
    patches: inOrder(
      [...patches.filter(({ key }) => !missing.has(key.text)), ...again.filter(isPut).filter(isMark)],
      ({ key }) => key,
    ),
    removals,
  };
}

const isDelete = (change: Change): change is Delete => change.kind === 'delete';
const isPut = (change: Change): change is Put => change.kind === 'put';
const isWhole = ({ omitted }: Put): boolean => omitted.length === 0;
/** With `deletes: mark`: what is there of the row stays, and gets the mark. */
const isMark = ({ omitted }: Put): boolean => omitted.length > 0;

/** Locks are taken in one order, whatever the batch. */
function inOrder<T>(items: T[], keyOf: (item: T) => Key): T[] {
  return items.sort((a, b) => (keyOf(a).text < keyOf(b).text ? -1 : 1));
}
