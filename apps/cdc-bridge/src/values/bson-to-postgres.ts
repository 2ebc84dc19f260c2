import { Binary, type Decimal128, type Double, Int32, Long, ObjectId } from 'mongodb';
import { type BsonDocument, type BsonValue, instantOf } from './bson-value.js';
import { canonicalDecimal } from './decimal.js';
import { bsonToJson } from './json-document.js';
import { type ArrayText, formatArray } from './postgres-array.js';
import { formatHstore } from './postgres-hstore.js';
import { formatTimestamp } from './postgres-time.js';
import { baseType, type Fidelity, isTextNumeric, type PostgresType } from './postgres-type.js';
import { endsWithin, isPlainTemporal, isZoned, secondDigits } from './temporal-text.js';
import { ValueFault } from './value.fault.js';

/**
 * The text of a BSON value for a column (`writeExpression`). With `exact`, a value that Postgres would round
 * is refused; with `paired` Postgres may round it, and the pair carries the result back.
 * @throws ValueFault for a value that the column's type cannot hold
 */
export function toPostgres(declared: PostgresType, value: BsonValue, fidelity: Fidelity): string | null {
  if (value === null) return null;
  const type = baseType(declared);
  if (type.kind === 'array' && type.of) return arrayToPostgres(type.of, value, fidelity);
  if (type.kind !== 'base') return stringOf(type, value, fidelity);
  switch (type.name) {
    case 'int2':
    case 'int4':
    case 'int8':
      return integerOf(type, value);
    case 'float4':
    case 'float8':
      return floatOf(type, value, fidelity);
    case 'numeric':
    case 'money':
      return numericOf(type, value, fidelity);
    case 'bool':
      return typeof value === 'boolean' ? String(value) : refuse(type, value);
    case 'bytea':
      return bytesOf(type, value);
    case 'uuid':
      return typeof value === 'string' ? value : uuidOf(type, value);
    case 'timestamp':
    case 'timestamptz':
      return value instanceof Date ? instantText(type, value, fidelity) : temporalOf(type, value, fidelity);
    case 'date':
    case 'time':
    case 'timetz':
    case 'interval':
      return temporalOf(type, value, fidelity);
    case 'json':
    case 'jsonb':
      return jsonOf(type, value);
    case 'hstore':
      return hstoreOf(type, value);
    default:
      return stringOf(type, value, fidelity);
  }
}

const INTEGER_BITS: Readonly<Record<string, number>> = { int2: 16, int4: 32, int8: 64 };

function integerOf(type: PostgresType, value: BsonValue): string {
  if (value instanceof Int32 && type.name !== 'int2') return String(value.value);
  const text = numberText(value) ?? refuse(type, value);
  const match = /^(-?\d+)e(\d+)$/.exec(canonicalDecimal(text));
  if (!match) return canonicalDecimal(text) === '0' ? '0' : refuse(type, value);
  const [, digits = '', zeros] = match;
  if (digits.length + Number(zeros) > 20) refuse(type, value);
  const integer = BigInt(digits) * 10n ** BigInt(zeros ?? 0);
  if (BigInt.asIntN(INTEGER_BITS[type.name] ?? 0, integer) !== integer) refuse(type, value);
  return integer.toString();
}

function floatOf(type: PostgresType, value: BsonValue, fidelity: Fidelity): string {
  const text = numberText(value) ?? refuse(type, value);
  const kept = type.name === 'float4' ? shortestFloat4(Number(text)) : String(Number(text));
  if (fidelity === 'exact' && canonicalDecimal(kept) !== canonicalDecimal(text)) refuse(type, value);
  return Object.is(Number(text), -0) ? '-0' : text;
}

/** What Postgres prints of a float4: the fewest digits that give the same 32 bits again. */
export function shortestFloat4(value: number): string {
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return text;
  }
  return String(single);
}

function numericOf(type: PostgresType, value: BsonValue, fidelity: Fidelity): string {
  const isText = type.name === 'numeric' && isTextNumeric(type);
  const text = numberText(value) ?? (isText && typeof value === 'string' ? value : refuse(type, value));
  // Postgres says of these that it does not support them, and not that the value is wrong.
  if (type.name === 'money' && !Number.isFinite(Number(text))) refuse(type, value);
  const scale = type.name === 'money' ? 2 : type.scale;
  const exponent = Number(/e(-?\d+)$/.exec(canonicalDecimal(text))?.[1] ?? 0);
  if (fidelity === 'exact' && scale !== undefined && exponent < -scale) refuse(type, value);
  return text;
}

function numberText(value: BsonValue): string | undefined {
  if (value === null || typeof value !== 'object' || !('_bsontype' in value)) return undefined;
  switch (value._bsontype) {
    case 'Int32':
    case 'Long':
    case 'Decimal128':
      return (value as Int32 | Long | Decimal128).toString();
    case 'Double':
      return Object.is((value as Double).value, -0) ? '-0' : String((value as Double).value);
  }
  return undefined;
}

function bytesOf(type: PostgresType, value: BsonValue): string {
  const isBytes = value instanceof Binary && value.sub_type === Binary.SUBTYPE_DEFAULT;
  return isBytes ? `\\x${value.toString('hex')}` : refuse(type, value);
}

const UUID_BYTES = 16;

/** With hyphens, as Postgres prints it: by that text a pair knows a key. */
function uuidOf(type: PostgresType, value: BsonValue): string {
  const isUuid =
    value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID && value.length() === UUID_BYTES;
  return isUuid ? value.toUUID().toHexString() : refuse(type, value);
}

/** Postgres rounds digits and drops a zone or fields for which a type has no place, and reads `now` as the moment in which it reads. */
function temporalOf(type: PostgresType, value: BsonValue, fidelity: Fidelity): string {
  if (typeof value !== 'string' || !isPlainTemporal(type.name, value)) return refuse(type, value);
  if (fidelity === 'paired') return value;
  if (secondDigits(value) > (type.precision ?? 6)) refuse(type, value);
  if ((type.name === 'time' || type.name === 'timestamp') && isZoned(value)) refuse(type, value);
  if (type.lastField && !endsWithin(value, type.lastField))
    refuse({ ...type, name: `interval to ${type.lastField}` }, value);
  return value;
}

function instantText(type: PostgresType, value: Date, fidelity: Fidelity): string {
  const ms = instantOf(value);
  const unit = 10 ** Math.max(0, 3 - (type.precision ?? 6));
  if (fidelity === 'exact' && ms % unit !== 0) refuse(type, value);
  return formatTimestamp(value);
}

function jsonOf(type: PostgresType, value: BsonValue): string {
  const text = bsonToJson(value);
  if (type.name === 'jsonb' && /(?<!\\)(?:\\\\)*\\u0000/.test(text)) {
    throw new ValueFault('a text with U+0000, which jsonb cannot hold');
  }
  return text;
}

function hstoreOf(type: PostgresType, value: BsonValue): string {
  if (Object.getPrototypeOf(value) !== Object.prototype) return refuse(type, value);
  const entries = Object.entries(value as BsonDocument).map(([key, item]): [string, string | null] => [
    withoutNul(key),
    item === null ? null : stringOf(type, item, 'paired'),
  ]);
  return formatHstore(entries);
}

/** An ObjectId is its hexadecimal text, but not in a pair, where the text would replace it. */
function stringOf(type: PostgresType, value: BsonValue, fidelity: Fidelity): string {
  if (value instanceof ObjectId && fidelity === 'exact') return value.toHexString();
  if (typeof value !== 'string') return refuse(type, value);
  if (fidelity === 'exact') refuseLength(type, value);
  return withoutNul(value);
}

const NAME_BYTES = 63;

/** An explicit cast cuts what is too long for its type, and fills up what is too short for `bit(n)`. */
function refuseLength(type: PostgresType, text: string): void {
  const { name, kind, length = Number.POSITIVE_INFINITY } = type;
  if (kind === 'base' && !fits(name, length, text))
    refuse(Number.isFinite(length) ? { ...type, name: `${name}(${length})` } : type, text);
}

function fits(name: string, length: number, text: string): boolean {
  switch (name) {
    case 'varchar':
      return isWithin(text, length);
    case 'bpchar':
      return isWithin(text.replace(/ +$/, ''), length);
    case 'bit':
      return !Number.isFinite(length) || bitsOf(text) === length;
    case 'varbit':
      return bitsOf(text) <= length;
    case 'name':
      return Buffer.byteLength(text) <= NAME_BYTES;
    case 'char':
      return Buffer.byteLength(text) <= 1 || /^\\[0-3][0-7]{2}$/.test(text);
    default:
      return true;
  }
}

/** Postgres counts code points, of which a text never has more than JavaScript counts. */
function isWithin(text: string, length: number): boolean {
  return text.length <= length || [...text].length <= length;
}

/** Of `101`, `b101` or, with four to a digit, `x5`. */
function bitsOf(text: string): number {
  if (/^x/i.test(text)) return (text.length - 1) * 4;
  return /^b/i.test(text) ? text.length - 1 : text.length;
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new ValueFault('a text with U+0000, which Postgres cannot hold');
  return text;
}

function arrayToPostgres(element: PostgresType, value: BsonValue, fidelity: Fidelity): string {
  const name = baseType(element).name;
  if (name === 'box' && typeof value === 'string') return value;
  if (!Array.isArray(value)) return refuse({ ...element, name: `${element.name}[]` }, value);
  const isJson = name === 'json' || name === 'jsonb';
  const convert = (items: readonly BsonValue[]): ArrayText => {
    const texts = items.map((item) =>
      Array.isArray(item) && !isJson ? convert(item) : toPostgres(element, item, fidelity),
    );
    if (new Set(texts.map(shape)).size > 1) throw new ValueFault('an array that is no rectangle');
    return texts;
  };
  const items = convert(value);
  if (value.length > 0 && shape(items).startsWith('x0')) throw new ValueFault('an array with an empty row');
  return formatArray(items);
}

/** The lengths of an array in each dimension. */
function shape(item: ArrayText[number]): string {
  if (item === null || typeof item === 'string') return '';
  return `${item.length > 0 ? shape(item[0] ?? null) : ''}x${item.length}`;
}

function refuse(type: PostgresType, value: BsonValue): never {
  const shown = bsonToJson(value).slice(0, 60);
  throw new ValueFault(`a column of type ${type.name} cannot hold ${shown} exactly`);
}
