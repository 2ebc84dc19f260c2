import { setTimeout as sleep } from 'node:timers/promises';
import { PageSize } from '../rows/page-size.js';
import type { Key } from '../sinks/compaction.js';
import { type ComparedSide, readByKey } from './compared-side.js';
import { differingFields, type RowImage } from './row-image.js';
import type { DifferenceKind } from './verify-report.js';

/** How two sides of a live comparison come to rest. */
export interface Settlement {
  readonly source: ComparedSide;
  readonly target: ComparedSide;
  /** Rows that only the target has are as they should be. */
  readonly ignoresExtra: boolean;
  /**
   * Resolves when every change of these keys that was committed before the call has reached the target.
   * @returns those for which that cannot be awaited, by text
   */
  settle(keys: readonly Key[]): Promise<ReadonlySet<string>>;
}

export interface Verdict {
  readonly key: Key;
  readonly is: 'equal' | 'pending' | 'unsettled' | DifferenceKind;
  readonly fields: readonly string[];
}

/** A key is looked at so often at most. */
const MAX_LOOKS = 8;
/** A difference counts when so many looks, one after another, saw the same two rows. */
const STEADY_LOOKS = 3;
/**
 * Both rows are read so often within a look, at uneven moments: of a row that goes back and forth between two
 * values, all readings are alike about once in a million.
 */
const READINGS = 4;
const MAX_PAUSE_MS = 15;

interface Watched {
  readonly key: Key;
  last: string;
  steady: number;
  sources: (RowImage | undefined)[];
  targets: (RowImage | undefined)[];
}

/**
 * Looks again at keys that differed, until each is equal, or differs without any change meanwhile, or has been
 * looked at often enough. Holds two images of each key per reading: the caller bounds their number.
 */
export async function settleKeys(
  keys: readonly Key[],
  sides: Settlement,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let open: Watched[] = keys.map((key) => ({ key, last: '', steady: 0, sources: [], targets: [] }));
  for (let look = 0; look < MAX_LOOKS && open.length > 0; look++) {
    const pending = await lookAt(open, sides, signal);
    const still: Watched[] = [];
    for (const watched of open) {
      const is = pending.has(watched.key.text) ? 'pending' : judge(watched, sides.ignoresExtra);
      if (is === null) still.push(watched);
      else verdicts.push({ key: watched.key, is, fields: fieldsOf(watched, is) });
    }
    open = still;
  }
  return [...verdicts, ...open.map(({ key }): Verdict => ({ key, is: 'unsettled', fields: [] }))];
}

async function lookAt(
  open: readonly Watched[],
  { source, target, settle }: Settlement,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const keys = open.map(({ key }) => key);
  const [sourceSize, targetSize] = [new PageSize(), new PageSize()];
  const before = await readByKey(source, keys, signal, sourceSize);
  for (const watched of open) {
    watched.sources = [before.get(watched.key.text)];
    watched.targets = [];
  }
  const pending = await settle(keys);
  for (let reading = 0; reading < READINGS; reading++) {
    if (reading > 0) await sleep(Math.random() * MAX_PAUSE_MS, undefined, { signal });
    const targets = await readByKey(target, keys, signal, targetSize);
    const sources = await readByKey(source, keys, signal, sourceSize);
    for (const watched of open) {
      watched.targets.push(targets.get(watched.key.text));
      watched.sources.push(sources.get(watched.key.text));
    }
  }
  return pending;
}

/** Null where another look is needed. */
function judge(watched: Watched, ignoresExtra: boolean): 'equal' | DifferenceKind | null {
  const sources = new Set(watched.sources.map(textOf));
  const targets = new Set(watched.targets.map(textOf));
  // The target shows a row that the source had a moment ago, or has: the rest is on its way.
  if ([...targets].some((text) => sources.has(text)) || (ignoresExtra && sources.has(''))) return 'equal';
  const seen = sources.size + targets.size === 2 ? JSON.stringify([...sources, ...targets]) : '';
  watched.steady = seen !== '' && seen === watched.last ? watched.steady + 1 : Math.min(1, seen.length);
  watched.last = seen;
  if (watched.steady < STEADY_LOOKS) return null;
  if (targets.has('')) return 'missing';
  return sources.has('') ? 'extra' : 'different';
}

function textOf(row: RowImage | undefined): string {
  return row?.hash.toString('base64') ?? '';
}

function fieldsOf({ sources: [source], targets: [target] }: Watched, is: Verdict['is']): string[] {
  return is === 'different' && source && target ? differingFields(source, target) : [];
}
