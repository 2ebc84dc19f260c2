import type { IntervalField } from './postgres-type.js';

/** What is written of a day, of a time of day, and of their zone. */
const DAY = /^[-+]?\d+-\d\d?-\d\d?(?: BC)?$/i;
const TIME = /^\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d?(?::?\d\d){0,2})?$/i;
const INSTANT =
  /^[-+]?\d+-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[-+]\d\d?(?::?\d\d){0,2}))?)?(?: BC)?$/i;
const INFINITY = /^[-+]?infinity$/i;

const FORMS: Readonly<Record<string, readonly RegExp[]>> = {
  date: [DAY, INFINITY],
  time: [TIME],
  timetz: [TIME],
  timestamp: [INSTANT, INFINITY],
  timestamptz: [INSTANT, INFINITY],
};

/** Whether a text says the same instant or time whenever it is read: not `now`, nor a zone by its name. */
export function isPlainTemporal(type: string, text: string): boolean {
  return FORMS[type]?.some((form) => form.test(text)) ?? true;
}

const ZONE = /:\d\d(?:\.\d+)? ?[-+](\d\d?(?::?\d\d){0,2})(?: BC)?$/i;

/** Whether a text names a zone other than UTC. */
export function isZoned(text: string): boolean {
  return /[1-9]/.test(ZONE.exec(text)?.[1] ?? '');
}

/** How many digits of a second a text has that count. */
export function secondDigits(text: string): number {
  return /\.(\d*?)0*(?!\d)/.exec(text)?.[1]?.length ?? 0;
}

const ISO_INTERVAL =
  /^P(?:[-+]?\d+Y)?(?:([-+]?\d+)M)?(?:([-+]?\d+)D)?(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?[\d.]+)S)?)?$/;
const FIELDS: readonly IntervalField[] = ['year', 'month', 'day', 'hour', 'minute'];

/** Whether an interval in ISO 8601, as Postgres prints it, has nothing beyond this field. */
export function endsWithin(text: string, lastField: IntervalField): boolean {
  if (INFINITY.test(text)) return true;
  const [, ...finerThanYears] = ISO_INTERVAL.exec(text) ?? [];
  if (finerThanYears.length === 0) return false;
  return finerThanYears.slice(FIELDS.indexOf(lastField)).every((amount) => !Number(amount ?? 0));
}
