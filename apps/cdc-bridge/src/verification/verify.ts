import type { OnUnmapped } from '../rows/rows.js';
import type { Key } from '../sinks/compaction.js';
import { compareByKey } from './key-comparison.js';
import { compareByCount, type MultisetDifference } from './multiset-comparison.js';
import { type ComparedRoute, sourceSide, targetSide } from './route-sides.js';
import { Tally, type VerifyReport } from './verify-report.js';

export interface VerifyParts {
  readonly route: ComparedRoute;
  /** Resolves when every change that the source committed before the call is in its topic. */
  caughtUp(signal: AbortSignal): Promise<void>;
  /** Resolves when everything that was in the topic at the call has been applied. Not asked of a delayed pipeline. */
  drained(signal: AbortSignal): Promise<void>;
  /** Only of a delayed pipeline. The verification disposes of it. */
  readonly pending?: () => Pending;
}

/** What stands in the topic of a pipeline and is not applied yet. */
export interface Pending extends AsyncDisposable {
  /** Those of the keys, by text, of which that is so; without a key, those with a row that is equal to such a one. */
  of(keys: readonly Key[], signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** Is told what differs for good, some at a time. */
export interface Findings {
  keys(keys: readonly Key[]): Promise<void>;
  /** A row that is missing because it can have no key at the target. */
  readonly unmapped: OnUnmapped;
  /** Of a table without a key. */
  rows(differences: readonly MultisetDifference[]): Promise<void>;
}

const NONE: ReadonlySet<string> = new Set();
const NOBODY: Findings = { keys: async () => {}, unmapped: () => {}, rows: async () => {} };

/**
 * Compares a one-way pipeline's target with its source under live traffic, without a lock and in bounded memory:
 * what differs is looked at again, after the pipeline has applied what the source had, until it can be told from a
 * change on its way.
 * @param signal bounds it: how long the tables may take, only the caller can say
 * @throws the signal's reason; what the databases throw
 */
export async function verify(
  parts: VerifyParts,
  signal: AbortSignal,
  findings: Findings = NOBODY,
): Promise<VerifyReport> {
  const { route } = parts;
  const tally = new Tally();
  await using pending = parts.pending?.();
  const settle = async (keys: readonly Key[]): Promise<ReadonlySet<string>> => {
    await parts.caughtUp(signal);
    if (pending) return pending.of(keys, signal);
    await parts.drained(signal);
    return NONE;
  };
  const onUnmapped: OnUnmapped = (name, fault) => {
    tally.unmapped(name);
    findings.unmapped(name, fault);
  };
  const ignoresExtra = route.pipeline.deletes === 'ignore';
  const sides = { source: sourceSide(route), target: targetSide(route), ignoresExtra, settle };
  try {
    await settle([]);
    if (route.keyless) await compareByCount(sides, tally, (rows) => findings.rows(rows), signal);
    else await compareByKey(sides, tally, (keys) => findings.keys(keys), signal, onUnmapped);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  return tally.report();
}
