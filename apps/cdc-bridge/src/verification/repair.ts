import { setTimeout as sleep } from 'node:timers/promises';
import type { Route } from '../mapping/route.js';
import { readWithin } from '../rows/read-within.js';
import type { Key } from '../sinks/compaction.js';
import type { CompleteEffects, Sink } from '../sinks/sink.js';
import type { ValueFault } from '../values/value.fault.js';
import { type RepairReport, RepairTally } from './repair-report.js';
import { shownKey } from './shown-key.js';

export interface RepairParts {
  readonly route: Pick<Route, 'pipeline' | 'source' | 'gone'>;
  readonly sink: Pick<Sink, 'repair'>;
}

/** Keys that are repaired in one transaction: it holds up the pipeline, so it must be short. */
const KEYS_PER_TRANSACTION = 250;
const MAX_TRIES = 8;
const FIRST_PAUSE_MS = 20;
/** Keys that wait to be tried once more, when the others are done. */
const MAX_AGAIN = 1_000;
const UNAVAILABLE = new Set(['SINK_UNFIT', 'SINK_UNAVAILABLE', 'SOURCE_UNAVAILABLE']);

/**
 * Makes the target's rows of these keys as the source has them, whether they differ or not: replays a range or a
 * dead letter as well as what a verification found.
 * @throws SinkError or SourceUnavailable where a database stays away; the signal's reason
 */
export async function repairKeys(
  parts: RepairParts,
  keys: readonly Key[],
  signal: AbortSignal,
): Promise<RepairReport> {
  const repair = new KeyRepair(parts, signal);
  await repair.add(keys);
  return repair.finish();
}

/** Repairs keys as they come; `finish` tries once more what another row may have stood in the way of. */
export class KeyRepair {
  readonly #tally = new RepairTally();
  #again: Key[] = [];

  constructor(
    private readonly parts: RepairParts,
    private readonly signal: AbortSignal,
  ) {}

  async add(keys: readonly Key[]): Promise<void> {
    await this.#inChunks(keys, (key, error) => {
      const mayPass = (error as { canRetry?: boolean }).canRetry === true && this.#again.length < MAX_AGAIN;
      if (mayPass) this.#again.push(key);
      else this.#tally.failed(shownKey(key), error);
    });
  }

  /** A row that no repair can mend. */
  refuse(name: string, fault: ValueFault): void {
    this.#tally.failed(name, fault);
  }

  async finish(): Promise<RepairReport> {
    const again = this.#again;
    this.#again = [];
    await this.#inChunks(again, (key, error) => this.#tally.failed(shownKey(key), error));
    return this.#tally.report();
  }

  async #inChunks(keys: readonly Key[], onFailure: (key: Key, error: unknown) => void): Promise<void> {
    for (let from = 0; from < keys.length; from += KEYS_PER_TRANSACTION) {
      await this.#chunk(keys.slice(from, from + KEYS_PER_TRANSACTION), onFailure);
    }
  }

  /** Halves what fails, until the row that is refused stands alone. */
  async #chunk(keys: readonly Key[], onFailure: (key: Key, error: unknown) => void): Promise<void> {
    try {
      await this.#write(keys);
    } catch (error) {
      if (UNAVAILABLE.has((error as { code?: string }).code ?? '') || this.signal.aborted) throw error;
      const [only] = keys;
      if (keys.length === 1 && only) return onFailure(only, error);
      const half = keys.length >> 1;
      await this.#chunk(keys.slice(0, half), onFailure);
      await this.#chunk(keys.slice(half), onFailure);
    }
  }

  async #write(keys: readonly Key[]): Promise<void> {
    const { route, sink } = this.parts;
    const effects = await withRetries(this.signal, () =>
      sink.repair(route.pipeline.name, () => effectsOf(route, keys)),
    );
    this.#tally.written += effects.puts.length;
    this.#tally.removed += effects.deletes.length + effects.patches.length;
    this.#tally.kept += keys.length - effects.puts.length - effects.deletes.length - effects.patches.length;
  }
}

/**
 * What the source says of the keys now. To be called under the locks only.
 * @throws ValueFault where the target cannot hold one of the rows; RowsTooLarge; SourceUnavailable
 */
async function effectsOf(route: RepairParts['route'], keys: readonly Key[]): Promise<CompleteEffects> {
  const puts = await readWithin(route.source, keys);
  const faulty = puts.find(({ fault }) => fault);
  if (faulty) throw faulty.fault;
  const there = new Set(puts.map(({ key }) => key.text));
  const now = new Date();
  const others = keys
    .filter(({ text }) => !there.has(text))
    .map((key) => route.gone(key, now))
    .filter((change) => change !== null);
  return {
    puts: puts.toSorted(inOrder),
    deletes: others
      .filter((change) => change.kind === 'delete')
      .toSorted(inOrder)
      .map(({ key }) => key),
    patches: others.filter((change) => change.kind === 'put').toSorted(inOrder),
  };
}

function inOrder(a: { readonly key: Key }, b: { readonly key: Key }): number {
  return a.key.text < b.key.text ? -1 : 1;
}

/** Tries again what may pass later, with growing pauses. */
export async function withRetries<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if ((error as { canRetry?: boolean }).canRetry !== true || tried === MAX_TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** tried * Math.random(), undefined, { signal });
    }
  }
}
