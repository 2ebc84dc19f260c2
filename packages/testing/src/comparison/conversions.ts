import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';

const { EJSON } = BSON;

/**
 * What a column and a field hold. Each kind says which type of BSON it must be; `number` alone takes any number, as a
 * pair does. `instant` counts milliseconds, `microseconds` is an ISO text in MongoDB.
 */
export type Kind =
  | 'integer'
  | 'double'
  | 'decimal'
  | 'number'
  | 'text'
  | 'boolean'
  | 'uuid'
  | 'bytes'
  | 'instant'
  | 'microseconds'
  | 'objectId'
  | 'json';

/** The SQL expression of a column's comparable text. */
export function sqlText(kind: Kind, column: string): string {
  switch (kind) {
    case 'instant':
      return `floor(extract(epoch from ${column}) * 1000)::bigint::text`;
    case 'microseconds':
      return `(extract(epoch from ${column}) * 1000000)::bigint::text`;
    case 'bytes':
      return `encode(${column}, 'hex')`;
    default:
      return `${column}::text`;
  }
}

/** The comparable text of what `sqlText` gave. */
export function fromSql(kind: Kind, text: string | null): string {
  if (text === null) return 'null';
  if (kind === 'json') return sortedJson(JSON.parse(text));
  return kind === 'decimal' || kind === 'number' || kind === 'double' ? plainNumber(text) : text;
}

/** The comparable text of a field; one of another type gets a text that no column has. */
export function fromBson(kind: Kind, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (kind) {
    case 'integer':
      return value instanceof Int32 || value instanceof Long ? value.toString() : alien(value);
    case 'double':
      return value instanceof Double ? plainNumber(String(value.value)) : alien(value);
    case 'decimal':
      return value instanceof Decimal128 ? plainNumber(value.toString()) : alien(value);
    case 'number':
      return [Int32, Long, Double, Decimal128].some((type) => value instanceof type)
        ? plainNumber(String(value))
        : alien(value);
    case 'text':
      return typeof value === 'string' ? value : alien(value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : alien(value);
    case 'uuid':
      return value instanceof Binary && value.sub_type === 4 ? value.toUUID().toString() : alien(value);
    case 'bytes':
      return value instanceof Binary && value.sub_type === 0 ? value.toString('hex') : alien(value);
    case 'instant':
      return value instanceof Date ? String(value.getTime()) : alien(value);
    case 'microseconds':
      return typeof value === 'string' ? microseconds(value) : alien(value);
    case 'objectId':
      return value instanceof ObjectId ? value.toHexString() : alien(value);
    case 'json':
      return sortedJson(JSON.parse(EJSON.stringify(value, { relaxed: true })));
  }
}

function alien(value: unknown): string {
  return `another type: ${EJSON.stringify({ value }, { relaxed: false })}`;
}

/** Without exponent and needless zeros. */
function plainNumber(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction)
    .padEnd(point, '0')
    .padStart((whole + fraction).length - Math.min(0, point), '0');
  const at = Math.max(point, 0);
  const left = digits.slice(0, at).replace(/^0+/, '') || '0';
  const right = digits.slice(at).replace(/0+$/, '');
  const plain = right ? `${left}.${right}` : left;
  return plain === '0' ? '0' : `${sign}${plain}`;
}

function microseconds(iso: string): string {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? '';
  const seconds = Date.parse(iso.replace(/\.\d+/, '').replace(/Z?$/, 'Z')) / 1000;
  return (BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))).toString();
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${sortedJson(item)}`).join()}}`;
}
