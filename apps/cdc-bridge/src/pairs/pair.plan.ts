import type { Side } from './pair.decision.js';
import { presentKeys } from './pair.keys.js';
import { PairLooks } from './pair.looks.js';
import type { Look, PairSync } from './pair.sync.js';

/** What making both sides equal would do, without doing it. */
export interface PairPlan {
  readonly rows: number;
  readonly documents: number;
  /** Keys of which a document would be written or deleted, without a conflict. */
  readonly toDocuments: number;
  /** Keys of which a row would be, without a conflict. */
  readonly toRows: number;
  /** Keys that differ on both sides; the loser goes to the conflict log. */
  readonly conflicts: number;
  /** Keys and documents that cannot be compared or carried over. */
  readonly refused: number;
  /** Some of the conflicts and refusals. */
  readonly sample: readonly PlannedKey[];
}

export interface PlannedKey {
  readonly key: string;
  /** Who would win the conflict. */
  readonly winner?: Side;
  readonly refused?: string;
}

const SAMPLE_SIZE = 20;

type Counts = { -readonly [name in Exclude<keyof PairPlan, 'sample'>]: number };

/**
 * Looks at every key as a baseline would.
 * @param named is told of each conflict and each refusal
 * @throws SinkError where a database does not answer
 */
export async function planPair(
  sync: PairSync,
  signal: AbortSignal,
  named: (key: PlannedKey) => void = () => {},
): Promise<PairPlan> {
  const counts: Counts = { rows: 0, documents: 0, toDocuments: 0, toRows: 0, conflicts: 0, refused: 0 };
  const sample: PlannedKey[] = [];
  const show = (key: PlannedKey) => {
    if (sample.length < SAMPLE_SIZE) sample.push(key);
    named(key);
  };
  const looks = new PairLooks(sync, signal);
  const keys = presentKeys(sync.parts, (id, { message }) => {
    counts.documents++;
    counts.refused++;
    show({ key: JSON.stringify(id), refused: message });
  });
  for await (const page of keys) {
    for await (const look of looks.at(page)) count(counts, look, show);
  }
  return { ...counts, sample };
}

function count(
  counts: Counts,
  { key, row, doc, decision, fault }: Look,
  show: (key: PlannedKey) => void,
): void {
  if (row) counts.rows++;
  if (doc) counts.documents++;
  if (fault !== null) {
    counts.refused++;
    show({ key, refused: fault });
  } else if (decision.go === 'toRow' || decision.go === 'toDoc') {
    if (decision.conflict) {
      counts.conflicts++;
      show({ key, winner: decision.go === 'toRow' ? 'mongo' : 'postgres' });
    } else if (decision.go === 'toRow') counts.toRows++;
    else if (decision.differ.length > 0 || (row === null) !== (doc === null)) counts.toDocuments++;
  }
}
