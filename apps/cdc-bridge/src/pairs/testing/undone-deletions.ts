/** The note of a row that has none: it is there, but does not tell which one it is. */
export const NO_NOTE = '';

/** A row that was put in the place of another, each by its note; null where there was none, or is none now. */
export interface Change {
  readonly table: string;
  readonly key: number;
  readonly old: string | null;
  readonly new: string | null;
  readonly byBridge: boolean;
}

type Key = Pick<Change, 'table' | 'key'>;

/** A row of a conflict log, as far as it tells whether it was a deletion that lost. */
interface Loser {
  readonly table: string;
  readonly key: string;
  readonly loser: unknown;
}

/**
 * Deletions of an application that the bridge undid with a row which the other side, by its own history, only ever
 * changed: from the very row that was deleted to the one that the bridge brought, it was never without one. Where a
 * row came to the other side more than once, that holds for the longest of the ways.
 */
export function undone(here: readonly Change[], there: readonly Change[]): Key[] {
  const others = Map.groupBy(there, rowOf);
  return [...Map.groupBy(here, rowOf)].flatMap(([row, changes]) => {
    const other = others.get(row) ?? [];
    return changes.filter((change, i) => {
      const before = changes[i - 1];
      if (!change.byBridge || change.old !== null || !before || before.byBridge || before.new !== null)
        return false;
      if (!change.new || !before.old) return false;
      const deleted = other.findIndex((each) => each.new === before.old);
      const brought = other.findLastIndex((each) => each.new === change.new);
      return deleted >= 0 && deleted <= brought && other.slice(deleted, brought).every(isThere);
    });
  });
}

/** Those for which there are fewer losers without a row, with what happened to their rows on both sides. */
export function notLogged(
  deletions: readonly Key[],
  conflicts: readonly Loser[],
  ...sides: readonly (readonly Change[])[]
): string[] {
  const logged = conflicts
    .filter(({ loser }) => loser === null)
    .map(({ table, key }) => rowOf({ table, key: JSON.parse(key)[0] }));
  return [...Map.groupBy(deletions, rowOf)]
    .filter(([row, of]) => of.length > logged.filter((each) => each === row).length)
    .map(([row]) => [`${row}: a deletion`, ...sides.map((side) => historyOf(row, side))].join('\n'));
}

function historyOf(row: string, changes: readonly Change[]): string {
  const notes = changes.filter((change) => rowOf(change) === row);
  return notes.map((each) => `${each.byBridge ? 'bridge ' : ''}${each.old} > ${each.new}`).join(', ');
}

const rowOf = ({ table, key }: Key): string => `${table} ${key}`;
const isThere = (change: Change): boolean => change.new !== null;
