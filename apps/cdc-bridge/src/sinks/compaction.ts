import type { BsonValue } from '../values/bson-value.js';
import type { ValueFault } from '../values/value.fault.js';

export type Fields = Readonly<Record<string, BsonValue>>;

/** A row's key at the target: its canonical text, by which keys are compared, and its fields. */
export interface Key {
  readonly text: string;
  readonly fields: Fields;
}

/** A row as it stands after a change, in the target's names, the key's fields among them. */
export interface Put {
  readonly kind: 'put';
  readonly key: Key;
  readonly fields: Fields;
  /** Fields that the change leaves out because they did not change (TOAST): the target keeps them. */
  readonly omitted: readonly string[];
  /**
   * The target has no such row to keep them from: it was just inserted, or came from another key. Or what it has is
   * of before: the change does not tell what it made of them. Either way only the source knows.
   */
  readonly isNew: boolean;
  /** The key that the row had before, where it was changed. */
  readonly previousKey?: Key;
  /** Of a row that the target may not have: then there is nothing to do. */
  readonly ifThere?: true;
  /** In a table without a key, the row that this one took the place of. */
  readonly replaces?: Removal;
  /** Why the source's own row, too, comes with fields `omitted`: the target cannot hold them. */
  readonly fault?: ValueFault;
}

export interface Delete {
  readonly kind: 'delete';
  readonly key: Key;
}

/** Takes away one of a row's equals in a table without a key, whichever it is. */
export interface Removal {
  readonly kind: 'removal';
  /** What the `_id` of all its equals begin with: their hash. */
  readonly row: string;
}

/** Follows a deletion in the topic; says nothing that the deletion did not. */
export interface Tombstone {
  readonly kind: 'tombstone';
}

export type Change = Put | Delete | Removal | Tombstone;

/** What a batch comes to: each key once, in the order of the keys' texts, so that locks are taken in one order. */
export interface Effects {
  readonly deletes: readonly Key[];
  /** Whole rows. */
  readonly puts: readonly Put[];
  /** Rows of which only some fields are known: the rest stays as the target has it. */
  readonly patches: readonly Put[];
  /** New rows that lack fields, which only the source can tell: to be read again there. */
  readonly lacking: readonly Put[];
  /** For after the puts: each takes one away, so that one row can stand here more than once. */
  readonly removals?: readonly Removal[];
}

/** The keys of the rows that a change is of; none where it names its row by something else. */
export function keysOf(change: Change): Key[] {
  if (change.kind !== 'put' && change.kind !== 'delete') return [];
  return change.kind === 'put' && change.previousKey ? [change.key, change.previousKey] : [change.key];
}

/** Folds the changes of a batch, in their order, into one effect per key. No field that was told is lost. */
export function compact(changes: Iterable<Change>): Effects {
  const states = new Map<string, Put | Delete>();
  const removals: Removal[] = [];
  for (const change of changes) {
    if (change.kind === 'tombstone') continue;
    if (change.kind === 'removal') {
      removals.push(change);
      continue;
    }
    if (change.kind === 'put' && change.replaces) removals.push(change.replaces);
    const earlier = states.get(change.key.text);
    states.set(change.key.text, change.kind === 'put' ? fold(earlier, change, states) : change);
  }
  const sorted = [...states.values()].sort((a, b) => (a.key.text < b.key.text ? -1 : 1));
  const rows = sorted.filter((state) => state.kind === 'put');
  return {
    deletes: sorted.filter((state) => state.kind === 'delete').map(({ key }) => key),
    puts: rows.filter(({ omitted }) => omitted.length === 0),
    patches: rows.filter(({ omitted, isNew }) => omitted.length > 0 && !isNew),
    lacking: rows.filter(isLacking),
    ...(removals.length > 0 && { removals: removals.sort((a, b) => (a.row < b.row ? -1 : 1)) }),
  };
}

function fold(earlier: Put | Delete | undefined, put: Put, states: Map<string, Put | Delete>): Put | Delete {
  const { previousKey } = put;
  if (put.ifThere && earlier?.kind === 'delete') return earlier;
  if (previousKey === undefined || previousKey.text === put.key.text) {
    if (earlier?.kind === 'put' && !isLacking(put)) return merge(earlier, put, earlier.isNew);
    return earlier?.kind === 'delete' ? { ...put, isNew: true } : put;
  }
  const moved = states.get(previousKey.text);
  states.set(previousKey.text, { kind: 'delete', key: previousKey });
  return moved?.kind === 'put' && !isLacking(put) ? merge(moved, put, true) : { ...put, isNew: true };
}

/** What it leaves out may have changed: no earlier change of the row can tell it. */
function isLacking({ isNew, omitted }: Put): boolean {
  return isNew && omitted.length > 0;
}

/** The later row, with what it leaves out from the earlier one. */
function merge(earlier: Put, later: Put, isNew: boolean): Put {
  const kept = later.omitted.filter((name) => Object.hasOwn(earlier.fields, name));
  const fields = kept.length > 0 ? joined(own(earlier.fields, kept), later.fields) : later.fields;
  const omitted = later.omitted.filter((name) => !Object.hasOwn(earlier.fields, name));
  const ifThere = earlier.ifThere && later.ifThere;
  return { kind: 'put', key: later.key, fields, omitted, isNew, ...(ifThere && { ifThere }) };
}

/** By property descriptors: a field named `__proto__` is a field like any other. */
function joined(earlier: PropertyDescriptorMap, later: Fields): Fields {
  return Object.defineProperties(
    Object.defineProperties({}, earlier),
    Object.getOwnPropertyDescriptors(later),
  );
}

function own(fields: Fields, names: readonly string[]): PropertyDescriptorMap {
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(fields));
  return Object.fromEntries(descriptors.filter(([name]) => names.includes(name)));
}
