/** A column's declared type, as Postgres' catalogue tells it. */
export interface PostgresType {
  /** `pg_type.typname`: `int4`, `numeric`, `timestamptz`; an enum's, range's or composite's own name. */
  readonly name: string;
  readonly kind: 'base' | 'enum' | 'domain' | 'array' | 'range' | 'composite';
  /** The element of an array, the type under a domain. */
  readonly of?: PostgresType;
  /** Digits of a `numeric`, absent where unbounded; fractional digits of seconds, 6 where not declared. */
  readonly precision?: number;
  /** Characters of a `varchar` or `bpchar`, bits of a `bit` or `varbit`; absent where unbounded. */
  readonly length?: number;
  /** Fraction digits of a `numeric`. */
  readonly scale?: number;
  /** The last field of an `interval` that is declared with fields, as `interval day to hour` is; absent for seconds. */
  readonly lastField?: IntervalField;
}

export type IntervalField = 'year' | 'month' | 'day' | 'hour' | 'minute';

/**
 * `exact` (one way): nothing may be lost. `paired` (both ways): dates are floored to milliseconds, and what
 * Postgres rounds is carried back to the document.
 */
export type Fidelity = 'exact' | 'paired';

/** Decimal128 holds so many digits; the type decides, never the value. */
const DECIMAL128_DIGITS = 34;

/** The type under the domains. */
export function baseType(type: PostgresType): PostgresType {
  return type.kind === 'domain' && type.of ? baseType(type.of) : type;
}

/** Whether a `numeric` is a string in MongoDB, being wider than Decimal128 or unbounded. */
export function isTextNumeric({ precision, scale = 0 }: PostgresType): boolean {
  return precision === undefined || Math.max(precision, scale) > DECIMAL128_DIGITS;
}

/** Whether a `timestamp` or `timestamptz` is a Date in MongoDB, which holds milliseconds. */
export function isDate({ precision = 6 }: PostgresType, fidelity: Fidelity): boolean {
  return fidelity === 'paired' || precision <= 3;
}

/**
 * The SQL expression that gives a column's value in the text that this folder reads. `column` is quoted
 * already. Sessions must run with `POSTGRES_SESSION`.
 */
export function readExpression(type: PostgresType, column: string): string {
  switch (leaf(type).name) {
    case 'money': // whose own text depends on lc_monetary
      return type.kind === 'array' ? `${column}::numeric[]::text` : `${column}::numeric::text`;
    case 'bpchar': // whose cast to text drops the padding, but not an array's
      return type.kind === 'array' ? `${column}::text[]::text` : `${column}::text`;
    default:
      return `${column}::text`;
  }
}

/** The SQL expression that makes a value of the type, to be assigned to its column, of such a text. */
export function writeExpression(type: PostgresType, castType: string, text: string): string {
  if (leaf(type).name !== 'money') return `${text}::${castType}`;
  return type.kind === 'array' ? `${text}::numeric[]::${castType}` : `${text}::numeric::${castType}`;
}

/** Settings on which the texts depend. */
export const POSTGRES_SESSION: Readonly<Record<string, string>> = {
  bytea_output: 'hex',
  datestyle: 'ISO, YMD',
  extra_float_digits: '1',
  intervalstyle: 'iso_8601',
  timezone: 'UTC',
  xmloption: 'content',
};

const OF_NUMBERS = 'a number keeps its value, not how it is written; numbers beyond 34 digits';
const OF_NULL = 'JSON null becomes SQL NULL';

/**
 * What values of the type cannot keep on their way into MongoDB, and in a pair back, as a sentence for the report at
 * start and the documentation; null where they keep everything.
 */
export function loss(type: PostgresType, fidelity: Fidelity): string | null {
  const base = leaf(type);
  switch (base.name) {
    case 'json':
      return `whitespace and escapes are lost; ${OF_NUMBERS} and a repeated field are refused; ${OF_NULL}`;
    case 'jsonb':
      return `${OF_NUMBERS} are refused; ${OF_NULL}`;
    case 'bpchar':
      return 'trailing blanks are lost, as in every comparison of the type';
    case 'numeric':
      return isTextNumeric(base) ? 'a string in MongoDB: it sorts as text' : null;
    case 'money':
      return 'the currency sign is lost, which depends on the server';
    case 'timestamp':
    case 'timestamptz':
      return timestampLoss(base, fidelity);
    default:
      return null;
  }
}

function timestampLoss(type: PostgresType, fidelity: Fidelity): string {
  if (!isDate(type, fidelity)) return 'a string in MongoDB, which keeps the microseconds: it sorts as text';
  const floored = (type.precision ?? 6) > 3 ? 'microseconds are floored to milliseconds; ' : '';
  const zone = type.name === 'timestamp' ? '; without a zone, it counts as UTC' : '';
  return `${floored}infinity and dates after 275760 are refused${zone}`;
}

/** The type of an array's elements, however deep, or the type itself; a domain's is the one below. */
export function leaf(type: PostgresType): PostgresType {
  const base = baseType(type);
  return base.kind === 'array' && base.of ? baseType(base.of) : base;
}
