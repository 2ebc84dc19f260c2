import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { type BsonDocument, type BsonValue, instantOf, setField } from './bson-value.js';
import { type JsonNode, JsonNumber, JsonObject, readJson } from './json-reader.js';
import { ValueFault } from './value.fault.js';

/**
 * Reads the documents that Debezium's MongoDB connector puts into `before` and `after`: strings in the legacy
 * strict Extended JSON of MongoDB's Java driver (`JsonMode.STRICT`). The type of a bare number is in its text:
 * `5` is an int32; `5.0`, `1.0E300`, `NaN` and `-0.0` are doubles.
 *
 * A subdocument is a type only where it has precisely that type's fields in their form; every other one with
 * `$` names, such as `{"$oid": "none", "note": 1}`, is the user's own and stays as it is. (One of the user's own
 * with precisely that form cannot be told from the type.)
 * @throws SyntaxError where the text is no such document
 * @throws ValueFault for what JavaScript's driver cannot hold: a date beyond ±275,760 years, a field twice in a
 * document, the deprecated type `undefined`
 */
export function parseLegacyExtendedJson(text: string): BsonDocument {
  const node = readJson(text);
  if (!(node instanceof JsonObject)) throw new SyntaxError('Extended JSON: a document expected');
  return documentOf(node);
}

function bsonOf(node: JsonNode): BsonValue {
  if (node instanceof JsonNumber) return numberOf(node.text);
  if (node instanceof JsonObject) return typeOf(node) ?? documentOf(node);
  if (Array.isArray(node)) return node.map(bsonOf);
  return node as string | boolean | null;
}

function documentOf({ entries }: JsonObject): BsonDocument {
  const document: BsonDocument = {};
  for (const [name, node] of entries) {
    if (Object.hasOwn(document, name)) throw new ValueFault(`the field ${JSON.stringify(name)} twice`);
    setField(document, name, bsonOf(node));
  }
  return document;
}

function numberOf(text: string): Int32 | Double {
  if (!/^-?\d+$/.test(text)) return new Double(Number(text));
  const value = Number(text);
  if (value !== (value | 0)) throw new SyntaxError(`Extended JSON: ${text} is no int32`);
  return new Int32(value);
}

/** The value that a document of this form stands for; undefined where it stands for itself. */
function typeOf({ entries }: JsonObject): BsonValue | undefined {
  const [first, second] = entries;
  if (!first?.[0].startsWith('$') || entries.length > 2) return undefined;
  const names = second ? `${first[0]} ${second[0]}` : first[0];
  const [value, other] = [first[1], second?.[1]];
  if (typeof value === 'string') return second ? pairType(names, value, other) : textType(names, value);
  if (second) return undefined;
  if (names === '$date' && value instanceof JsonNumber) return dateOf(value.text);
  if (names === '$timestamp' && value instanceof JsonObject) return timestampOf(value);
  if (names === '$minKey' && isOne(value)) return new MinKey();
  if (names === '$maxKey' && isOne(value)) return new MaxKey();
  if (names === '$undefined' && value === true) throw new ValueFault('a value of the type undefined');
  return undefined;
}

function textType(name: string, text: string): BsonValue | undefined {
  switch (name) {
    case '$oid':
      return /^[0-9a-f]{24}$/.test(text) ? new ObjectId(text) : undefined;
    case '$numberLong':
      return longOf(text);
    case '$numberDecimal':
      return decimalOf(text);
    case '$symbol':
      return new BSONSymbol(text);
    case '$code':
      return new Code(text);
  }
  return undefined;
}

function pairType(names: string, text: string, other: JsonNode | undefined): BsonValue | undefined {
  switch (names) {
    case '$binary $type':
      return binaryOf(text, other);
    case '$regex $options':
      return typeof other === 'string' ? new BSONRegExp(text, other) : undefined;
    case '$code $scope':
      return other instanceof JsonObject ? new Code(text, documentOf(other)) : undefined;
  }
  return undefined;
}

function longOf(text: string): Long | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? Long.fromBigInt(value) : undefined;
}

/** The driver writes a decimal in one form only; a text of another form is a user's own. */
function decimalOf(text: string): Decimal128 | undefined {
  if (!/^-?(?:\d+(?:\.\d+)?(?:E[+-]?\d+)?|Infinity|NaN)$/.test(text)) return undefined;
  try {
    return Decimal128.fromString(text);
  } catch {
    return undefined;
  }
}

function binaryOf(base64: string, type: JsonNode | undefined): Binary | undefined {
  if (typeof type !== 'string' || !/^[0-9a-fA-F]{2}$/.test(type)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? new Binary(bytes, Number.parseInt(type, 16)) : undefined;
}

function dateOf(text: string): Date | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const date = new Date(Number(text));
  instantOf(date);
  return date;
}

function timestampOf({ entries }: JsonObject): Timestamp | undefined {
  const [t, i, more] = entries;
  if (t?.[0] !== 't' || i?.[0] !== 'i' || more) return undefined;
  const [seconds, increment] = [unsigned(t[1]), unsigned(i[1])];
  if (seconds === undefined || increment === undefined) return undefined;
  return new Timestamp({ t: seconds, i: increment });
}

function unsigned(node: JsonNode): number | undefined {
  if (!(node instanceof JsonNumber) || !/^\d{1,10}$/.test(node.text)) return undefined;
  const value = Number(node.text);
  return value < 2 ** 32 ? value : undefined;
}

function isOne(node: JsonNode): boolean {
  return node instanceof JsonNumber && node.text === '1';
}
