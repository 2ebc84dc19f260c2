import { presentKeys } from './pair.keys.js';
import { PairLooks } from './pair.looks.js';
import type { Look, PairSync } from './pair.sync.js';

/** How two sides compare; the table counts as the source. */
export interface PairVerification {
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Keys that both sides have. */
  readonly compared: number;
  /** Rows without a document. */
  readonly missing: number;
  /** Documents without a row. */
  readonly extra: number;
  readonly different: number;
  /** Keys of which nothing is known: they differed, and changed each time they were looked at. */
  readonly unsettled: number;
  /** Some of the keys that differ, or of which nothing is known. */
  readonly sample: readonly { readonly key: string; readonly kind: Finding }[];
  /** What the numbers alone do not say; null where they say everything. */
  readonly note: string | null;
}

type Finding = 'missing' | 'extra' | 'different' | 'unsettled';

/** Beyond so many, keys that differ are counted without a second look. */
const MAX_SECOND_LOOKS = 100_000;
/** A key that changes between any two looks is being written: it is no standing difference. */
const MAX_LOOKS = 20;
const SAMPLE_SIZE = 20;

/**
 * Compares every key of both sides, under live traffic: a key that differs is read again when the bridge has
 * seen all that was changed before, and only what still stands as it stood then counts.
 * @param settled resolves when every change committed before the call has been looked at
 * @throws SinkError where a database does not answer
 */
export async function verifyPair(
  sync: PairSync,
  settled: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<PairVerification> {
  const counts = {
    sourceRows: 0,
    targetRows: 0,
    compared: 0,
    missing: 0,
    extra: 0,
    different: 0,
    unsettled: 0,
  };
  const sample: PairVerification['sample'][number][] = [];
  const differs = (key: string, kind: Finding) => {
    counts[kind]++;
    if (sample.length < SAMPLE_SIZE) sample.push({ key, kind });
  };
  const looks = new PairLooks(sync, signal);
  let suspects = new Map<string, Standing>();
  const keys = presentKeys(sync.parts, (id) => {
    counts.targetRows++;
    differs(JSON.stringify(id), 'extra');
  });
  for await (const page of keys) {
    for await (const look of looks.at(page)) {
      if (look.row || look.fault !== null) counts.sourceRows++;
      if (look.doc) counts.targetRows++;
      if (look.row && look.doc) counts.compared++;
      if (isEqual(look)) continue;
      if (suspects.size < MAX_SECOND_LOOKS) suspects.set(look.key, standingOf(look));
      else differs(look.key, kindOf(look));
    }
  }
  for (let turn = 0; suspects.size > 0 && turn < MAX_LOOKS; turn++) {
    await settled(signal);
    const before = suspects;
    suspects = new Map();
    for await (const look of looks.at([...before.keys()])) {
      if (isEqual(look)) continue;
      if (standingOf(look) === before.get(look.key)) differs(look.key, kindOf(look));
      else suspects.set(look.key, standingOf(look));
    }
  }
  for (const key of suspects.keys()) differs(key, 'unsettled');
  return { ...counts, sample, note: noteOf(counts) };
}

function noteOf({ sourceRows, targetRows, compared, unsettled }: Omit<PairVerification, 'sample' | 'note'>) {
  const notes = unsettled > 0 ? [`${unsettled} keys changed each time they were looked at`] : [];
  if (compared === 0) notes.unshift('no key is on both sides');
  if (sourceRows + targetRows === 0) notes.unshift('both sides are empty');
  return notes.length > 0 ? notes.join('; ') : null;
}

/** How a key stands, in few bytes: many are remembered at once. */
type Standing = string;

function standingOf({ rev, row, doc }: Look): Standing {
  return `${rev} ${row?.hash} ${doc?.hash}`;
}

function isEqual({ row, doc, fault }: Look): boolean {
  return fault === null && row?.hash === doc?.hash;
}

function kindOf({ row, doc, fault }: Look): 'missing' | 'extra' | 'different' {
  if (fault !== null || (row && doc)) return 'different';
  return row ? 'missing' : 'extra';
}
