import { hash } from 'node:crypto';
import type { Fields, Key } from '../sinks/compaction.js';
import { exactText } from '../values/exact-text.js';

const LONGEST_TEXT = 120;
const TOLD_CHARACTERS = 60;

/** A row as a comparison sees it. */
export interface RowImage {
  readonly key: Key;
  /** Each field outside of the key, by name, in the order of the names: its exact text, of a long one see `told`. */
  readonly texts: readonly (readonly [name: string, text: string])[];
  /** SHA-256 of the exact texts. */
  readonly hash: Buffer;
  /** How long those are together, in characters. */
  readonly size: number;
}

/**
 * A field that is null counts as one that is missing: a document has no field for a column that came after it.
 * @param leftOut a field that does not count, such as the mark of a deleted row
 */
export function imageOfRow(key: Key, fields: Fields, leftOut?: string): RowImage {
  const texts = Object.entries(fields)
    .filter(([name, value]) => value !== null && name !== leftOut && !Object.hasOwn(key.fields, name))
    .map(([name, value]) => [name, exactText(value)] as const);
  return imageOfTexts(key, texts);
}

export function imageOfTexts(key: Key, exact: readonly (readonly [string, string])[]): RowImage {
  const sorted = exact.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const whole = JSON.stringify(sorted);
  const texts = sorted.map(([name, text]) => [name, told(text)] as const);
  return { key, texts, hash: digest(whole), size: whole.length };
}

/** Of a long text its beginning and its hash: thousands of images are held at a time, of rows of any size. */
function told(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${beginningOf(text, TOLD_CHARACTERS)}… ${digest(text).toString('base64')}`;
}

/** The first characters as a string of their own: what `slice` returns keeps the whole text in memory. */
export function beginningOf(text: string, characters: number): string {
  return Buffer.from(text.slice(0, characters), 'utf16le').toString('utf16le');
}

export function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The names of the fields in which two rows differ. */
export function differingFields(a: RowImage, b: RowImage): string[] {
  const [left, right] = [new Map(a.texts), new Map(b.texts)];
  const names = new Set([...left.keys(), ...right.keys()]);
  return [...names].filter((name) => left.get(name) !== right.get(name)).sort();
}
