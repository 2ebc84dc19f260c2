/**
 * Debezium's times as Postgres prints them in UTC. It tells dates before the Gregorian calendar in two ways, and
 * infinity as a number like any other, so only years from 1600 to 9999 are believed: undefined for all others.
 */
const [FIRST_DAY, LAST_DAY] = [Date.UTC(1600, 0, 1), Date.UTC(9999, 11, 31)].map((ms) => ms / 86_400_000) as [
  number,
  number,
];
const DAY_MICROS = 86_400_000_000n;

export function dateText(days: number): string | undefined {
  if (days < FIRST_DAY || days > LAST_DAY) return undefined;
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

/** @param micros microseconds since midnight, which may be 24:00 */
export function timeText(micros: bigint): string {
  const seconds = Number(micros / 1_000_000n);
  const parts = [Math.trunc(seconds / 3_600), Math.trunc(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':') + fraction(micros % 1_000_000n);
}

/** @param micros microseconds since the epoch */
export function localTimestampText(micros: bigint): string | undefined {
  const inDay = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  const date = dateText(Number((micros - inDay) / DAY_MICROS));
  return date && `${date} ${timeText(inDay)}`;
}

/** @param text ISO 8601 in UTC, with up to six digits after the second */
export function zonedTimestampText(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text);
  if (!match || text < '1600') return undefined;
  const [, date, time, micros = '0'] = match;
  return `${date} ${time}${fraction(BigInt(micros.padEnd(6, '0')))}+00`;
}

/** `P1Y0M0DT0H0M6.5S` without what is zero: `P1YT6.5S`. Where all is zero it may stand for infinity. */
export function intervalText(text: string): string | undefined {
  const match = /^P((?:-?\d+[YMD])*)T((?:-?\d+(?:\.\d+)?[HMS])*)$/.exec(text);
  if (!match) return undefined;
  const [date = '', time = ''] = match
    .slice(1)
    .map((part) => part.replace(/(?<![\d.])-?0(?:\.0+)?[YMDHS]/g, ''));
  return date || time ? `P${date}${time && `T${time}`}` : undefined;
}

function fraction(micros: bigint): string {
  return micros === 0n ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}
