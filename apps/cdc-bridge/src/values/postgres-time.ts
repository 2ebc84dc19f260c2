import type { Fidelity } from './postgres-type.js';
import { ValueFault } from './value.fault.js';

const TIMESTAMP = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:\+00)?( BC)?$/;

/**
 * The instant of a `timestamp` or `timestamptz` as Postgres prints it in UTC; in a pair floored to milliseconds. A
 * timestamp without a zone counts as UTC.
 * @throws ValueFault for infinity; with `exact` for microseconds
 */
export function parseTimestamp(text: string, fidelity: Fidelity): Date {
  const match = TIMESTAMP.exec(text);
  if (!match) throw new ValueFault(`the timestamp ${text}`);
  const [, year, month, day, hour, minute, second, fraction = '', bc] = match;
  if (fidelity === 'exact' && /[1-9]/.test(fraction.slice(3)))
    throw new ValueFault(`the timestamp ${text}, of whose digits a Date holds three`);
  const date = new Date(0);
  date.setUTCFullYear(bc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)));
  if (Number.isNaN(date.getTime())) throw new ValueFault(`the timestamp ${text}, beyond JavaScript's dates`);
  return date;
}

/** An instant as Postgres reads it, years before 1 and after 9999 too. */
export function formatTimestamp(date: Date): string {
  const iso = date.toISOString();
  if (/^\d{4}-/.test(iso) && !iso.startsWith('0000')) return iso;
  const year = date.getUTCFullYear();
  const rest = iso.replace(/^[+-]?\d+/, '');
  return year > 0
    ? `${String(year).padStart(4, '0')}${rest}`
    : `${String(1 - year).padStart(4, '0')}${rest} BC`;
}

/**
 * A timestamp's text in MongoDB: ISO 8601, every digit kept. Infinity and years before Christ stay as Postgres
 * prints them.
 */
export function isoTimestamp(text: string): string {
  return text.replace(' ', 'T').replace(/\+00(?= BC$|$)/, 'Z');
}
