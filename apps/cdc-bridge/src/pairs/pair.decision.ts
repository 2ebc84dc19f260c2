import type { Image } from './pair.image.js';

export type Side = 'postgres' | 'mongo';

/** Who wins where both sides changed: `priority`, or the newer one where `newest` names a column. */
export interface ConflictPolicy {
  readonly priority: Side;
  readonly newest?: string;
}

/** How both sides stood when they were last known to be equal; `hash` is an image's, null when both were absent. */
export interface Base {
  readonly rev: bigint;
  readonly hash: string | null;
}

/** The base of a key that no worker has looked at before. */
export const NO_BASE: Base = { rev: 0n, hash: null };

/**
 * Writes that Postgres has taken from MongoDB on top of a base that does not say so yet: from revision
 * `first` to `rev`, begun on the base of revision `base`, for a document whose hash was `hash`.
 */
export interface Accepted extends Base {
  readonly first: bigint;
  readonly base: bigint;
}

/** What was read of one key: the row and its ledger first, then the document and its base. */
export interface Standing {
  /** The ledger's revision; 0 where it has no row for the key. */
  readonly rev: bigint;
  readonly accepted: Accepted | null;
  readonly row: Image | null;
  readonly doc: Image | null;
  readonly base: Base;
}

/** `differ` holds the positions of the mapped fields that are not equal: all that a write may touch. */
export type Decision =
  | { readonly go: 'nothing' }
  | { readonly go: 'stale' }
  | { readonly go: 'dropBase' }
  | {
      readonly go: 'toDoc';
      readonly conflict: boolean;
      readonly differ: readonly number[];
      readonly base: Base;
    }
  | {
      readonly go: 'toRow';
      readonly conflict: boolean;
      readonly differ: readonly number[];
      /** `first` is null where the chain begins with the revision that this very write will get. */
      readonly accepted: {
        readonly first: bigint | null;
        readonly base: bigint;
        readonly hash: string | null;
      };
    };

/**
 * Decides what one key of a two-way pair needs, from how both sides stand now and stood when last equal.
 *
 * - `nothing`: neither side changed.
 * - `stale`: the row is older than the base, so the reading is not to be trusted: begin again.
 * - `dropBase`: the key is gone on the Postgres side, its pruned ledger row too; the base may go as well.
 * - `toDoc`: make the document like the row and move the base, in one transaction (with nothing in `differ`
 *   only the base moves). Of columns that came since they were last equal, a document takes over what it has no value
 *   for, before its own edit goes to the row.
 * - `toRow`: make the row like the document and write `accepted`, in one transaction.
 *
 * With `conflict`, both sides changed and differ: the side that is overwritten belongs in the conflict log.
 */
export function decide(standing: Standing, policy: ConflictPolicy): Decision {
  const { rev, accepted, row, doc, base: known } = standing;
  if (rev === 0n && row === null && known.rev > 0n && known.hash === null) return { go: 'dropBase' };
  if (rev < known.rev) return { go: 'stale' };

  const standsIn = accepted !== null && builtOn(accepted, known) ? accepted : null;
  const base = standsIn ?? known;
  const since = fieldsSince(base, row, doc);
  const docChanged = (isOther(base, doc) ?? row === null) || since.some((i) => isAhead(doc, row, i));
  // A row can change without a revision (ALTER TYPE, a disabled trigger), which only its hash shows. While
  // `accepted` stands in, the hash is that of what MongoDB sent, which the row need not have kept as it was.
  const rowChanged = rev !== base.rev || (standsIn === null && (isOther(base, row) ?? false));
  const isNews = since.some((i) => isSet(row, i) || isSet(doc, i));
  if (!docChanged && !rowChanged && standsIn === null && !isNews) return { go: 'nothing' };

  const differ = differingFields(row, doc);
  const equal = differ.length === 0 && (row === null) === (doc === null);
  const conflict = docChanged && rowChanged && !equal;
  const toDoc = { rev, hash: row?.hash ?? null };
  if (docChanged && !equal && (!rowChanged || winner(row, doc, policy) === 'mongo')) {
    const filled = fill(since, row, doc, rowChanged || standsIn ? known : toDoc);
    if (filled) return filled;
    const chained = standsIn !== null && standsIn.rev === rev ? standsIn : null;
    return {
      go: 'toRow',
      conflict,
      differ,
      accepted: {
        first: chained?.first ?? null,
        base: chained?.base ?? known.rev,
        hash: doc?.hash ?? null,
      },
    };
  }
  return { go: 'toDoc', conflict, differ, base: toDoc };
}

/**
 * Decides for a repair in which one side has the last word: it wins wherever the two differ, whatever was
 * remembered of them. What is overwritten counts as a conflict, so that it is logged.
 */
export function decideFor(side: Side, { rev, accepted, row, doc, base }: Standing): Decision {
  if (rev === 0n && row === null && base.rev > 0n && base.hash === null) return { go: 'dropBase' };
  const rowHash = row?.hash ?? null;
  const differ = differingFields(row, doc);
  const equal = differ.length === 0 && (row === null) === (doc === null);
  if (equal && base.rev === rev && base.hash === rowHash) return { go: 'nothing' };
  // What Postgres made of this very document is as equal as it gets: the document follows.
  const taken =
    accepted !== null &&
    accepted.rev === rev &&
    isOther(accepted, doc) === false &&
    !fieldsSince(accepted, row, doc).some((i) => isAhead(doc, row, i));
  if (side === 'mongo' && !equal && !taken) {
    const filled = fill(fieldsSince(base, row, doc), row, doc, base);
    if (filled) return filled;
    return {
      go: 'toRow',
      conflict: row !== null,
      differ,
      accepted: { first: null, base: base.rev, hash: doc?.hash ?? null },
    };
  }
  const conflict = side === 'postgres' && !equal && doc !== null;
  return { go: 'toDoc', conflict, differ, base: { rev, hash: rowHash } };
}

/** Lets the document take over what it has no value for; undefined where it has all that the row has. */
function fill(
  since: readonly number[],
  row: Image | null,
  doc: Image | null,
  base: Base,
): Decision | undefined {
  const differ = since.filter((i) => !isSet(doc, i) && isSet(row, i));
  return differ.length > 0 ? { go: 'toDoc', conflict: false, differ, base } : undefined;
}

/** Whether a side is another than the base says; undefined where that is of columns that are gone. */
function isOther({ hash }: Base, image: Image | null): boolean | undefined {
  if (image === null || hash === null) return (image?.hash ?? null) !== hash;
  const like = image.like(hash);
  return like === undefined ? undefined : like !== hash;
}

/** The positions of fields of which the base, being older, says nothing; none unless both sides are there. */
function fieldsSince({ hash }: Base, row: Image | null, doc: Image | null): number[] {
  return hash !== null && row && doc ? [...row.fields.keys()].slice(row.widthOf(hash) ?? 0) : [];
}

/** Whether a side has a value of its own there. */
const isAhead = (image: Image | null, other: Image | null, i: number): boolean =>
  isSet(image, i) && differs(image, other, i);
const isSet = (image: Image | null, i: number): boolean => Boolean(image?.fields[i]);
const differs = (row: Image | null, doc: Image | null, i: number): boolean =>
  row?.fields[i] !== doc?.fields[i];

/** Whether `accepted` began on this base, or on one that has since moved along its own chain. */
function builtOn(accepted: Accepted, base: Base): boolean {
  return base.rev === accepted.base || (base.rev >= accepted.first && base.rev < accepted.rev);
}

function winner(row: Image | null, doc: Image | null, policy: ConflictPolicy): Side {
  if (policy.newest === undefined || row === null || doc === null) return policy.priority;
  if (row.instant === null || doc.instant === null || row.instant === doc.instant) return policy.priority;
  return doc.instant > row.instant ? 'mongo' : 'postgres';
}

/** Every mapped field, where only one side is there. */
function differingFields(row: Image | null, doc: Image | null): number[] {
  const positions = [...((row ?? doc)?.fields.keys() ?? [])];
  return positions.filter((i) => differs(row, doc, i));
}
