const INSTANT =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)? ?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

export interface Instant {
  /** Since the epoch. */
  readonly ms: number;
  /** Whether milliseconds are all there is. */
  readonly isWhole: boolean;
  /** As Postgres prints it in UTC, without the zone. */
  readonly text: string;
}

/** The instant of an ISO 8601 text, to the microsecond: without a time its day begins, without a zone it is UTC. */
export function parseInstant(text: string): Instant | undefined {
  const match = INSTANT.exec(text);
  if (!match) return undefined;
  const [, day, minute = '00:00', second = '00', fraction = '', zone = 'Z'] = match;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const seconds = Date.parse(`${day}T${minute}:${second}${offset.toUpperCase()}`);
  if (Number.isNaN(seconds)) return undefined;
  const digits = fraction.replace(/0+$/, '');
  const utc = new Date(seconds).toISOString().slice(0, 19).replace('T', ' ');
  return {
    ms: seconds + Number(digits.padEnd(3, '0').slice(0, 3)),
    isWhole: digits.length <= 3,
    text: digits === '' ? utc : `${utc}.${digits}`,
  };
}
