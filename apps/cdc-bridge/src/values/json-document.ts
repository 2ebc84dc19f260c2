import { Binary, BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import { type BsonDocument, type BsonValue, instantOf, setField } from './bson-value.js';
import { canonicalDecimal } from './decimal.js';
import { type JsonNode, JsonNumber, JsonObject, readJson } from './json-reader.js';
import { ValueFault } from './value.fault.js';

/**
 * The fields by which canonical Extended JSON v2 names the types that JSON lacks
 * (github.com/mongodb/specifications, extended-json).
 */
const TYPE_FIELDS = new Set([
  '$oid', '$date', '$binary', '$timestamp', '$regularExpression', '$minKey', '$maxKey', '$numberDouble',
  '$numberDecimal', '$symbol', '$code',
]); // biome-ignore format: a list

/**
 * The BSON value of a `json` or `jsonb` text. A number becomes the narrowest of Int32, Long, Double and
 * Decimal128 that holds it exactly; one with a point or an exponent is never an integer.
 * @param typed reads `{"$oid": …}` and its like as the types they name: what `bsonToJson` wrote
 * @throws ValueFault for a number beyond 34 digits, and for a field twice in an object
 */
export function jsonToBson(text: string, typed: boolean): BsonValue {
  return bsonOf(readJson(text), typed);
}

function bsonOf(node: JsonNode, typed: boolean): BsonValue {
  if (node instanceof JsonNumber) return numberOf(node.text);
  if (Array.isArray(node)) return node.map((item) => bsonOf(item, typed));
  if (!(node instanceof JsonObject)) return node as string | boolean | null;
  const type = typed ? typeOf(node) : undefined;
  if (type !== undefined) return type;
  const document: BsonDocument = {};
  for (const [name, value] of node.entries) {
    if (Object.hasOwn(document, name)) throw new ValueFault(`the field ${JSON.stringify(name)} twice`);
    if (name.includes('\0')) throw new ValueFault('a field name with U+0000, which BSON forbids');
    setField(document, name, bsonOf(value, typed));
  }
  return document;
}

function numberOf(text: string): BsonValue {
  if (/^-?\d+$/.test(text) && text !== '-0') {
    const value = BigInt(text);
    if (BigInt.asIntN(32, value) === value) return new Int32(Number(value));
    if (BigInt.asIntN(64, value) === value) return Long.fromBigInt(value);
  }
  const double = Number(text);
  if (canonicalDecimal(String(double)) === canonicalDecimal(text)) return new Double(double);
  try {
    return Decimal128.fromString(text);
  } catch {
    throw new ValueFault(`the number ${text.slice(0, 60)}, beyond Decimal128's 34 digits`);
  }
}

function typeOf(node: JsonObject): BsonValue | undefined {
  const name = node.entries[0]?.[0];
  if (name === undefined || !TYPE_FIELDS.has(name) || node.entries.length > 2) return undefined;
  try {
    const value = BSON.EJSON.parse(textOf(node), { relaxed: false }) as BsonValue;
    return isPlainDocument(value) || typeof value !== 'object' ? undefined : value;
  } catch {
    return name === '$binary' ? oddUuidOf(node) : undefined;
  }
}

/** Bytes of subtype 4 that are no UUID: MongoDB keeps them, and the driver refuses to read them from JSON. */
function oddUuidOf(node: JsonObject): Binary | undefined {
  const { $binary } = JSON.parse(textOf(node)) as { $binary: { base64?: unknown; subType?: unknown } | null };
  if (typeof $binary?.base64 !== 'string' || $binary.subType !== '04') return undefined;
  const bytes = Buffer.from($binary.base64, 'base64');
  return bytes.toString('base64') === $binary.base64 ? new Binary(bytes, Binary.SUBTYPE_UUID) : undefined;
}

/**
 * The JSON text of a BSON value, for `json` and `jsonb`: numbers as JSON numbers (a double always with a point
 * or an exponent), what JSON lacks as canonical Extended JSON v2.
 * @throws ValueFault for a user's own document that would be read back as such a type
 */
export function bsonToJson(value: BsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(bsonToJson).join()}]`;
  if (isPlainDocument(value)) return documentToJson(value);
  if (value instanceof Date) return JSON.stringify({ $date: { $numberLong: String(instantOf(value)) } });
  switch (value._bsontype) {
    case 'Int32':
    case 'Long':
      return value.toString();
    case 'Double':
      return doubleToJson(value);
    case 'Decimal128':
      if (/^-?\d/.test(value.toString()) && !isNegativeZero(value.toString())) return value.toString();
  }
  return BSON.EJSON.stringify(value, { relaxed: false });
}

function documentToJson(document: BsonDocument): string {
  const entries = Object.entries(document);
  const first = entries[0]?.[0];
  if (first !== undefined && TYPE_FIELDS.has(first) && entries.length <= 2) {
    throw new ValueFault(`a document of one's own with the field ${first}, which names a type in JSON`);
  }
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${bsonToJson(item)}`).join()}}`;
}

function doubleToJson({ value }: Double): string {
  if (!Number.isFinite(value) || Object.is(value, -0)) {
    return JSON.stringify({ $numberDouble: Object.is(value, -0) ? '-0.0' : String(value) });
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Whose sign `jsonb` would drop. */
function isNegativeZero(number: string): boolean {
  return /^-0*(?:\.0*)?(?:E|$)/.test(number);
}

function textOf(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.text;
  if (node instanceof JsonObject) {
    return `{${node.entries.map(([name, item]) => `${JSON.stringify(name)}:${textOf(item)}`).join()}}`;
  }
  return Array.isArray(node) ? `[${node.map(textOf).join()}]` : JSON.stringify(node);
}

function isArray(value: BsonValue): value is readonly BsonValue[] {
  return Array.isArray(value);
}

function isPlainDocument(value: BsonValue): value is BsonDocument {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
