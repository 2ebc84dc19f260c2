import { Binary, Decimal128, Double, Int32, Long, UUID } from 'mongodb';
import type { BsonValue } from './bson-value.js';
import { jsonToBson } from './json-document.js';
import { type ArrayText, parseArray } from './postgres-array.js';
import { parseHstore } from './postgres-hstore.js';
import { isoTimestamp, parseTimestamp } from './postgres-time.js';
import { baseType, type Fidelity, isDate, isTextNumeric, type PostgresType } from './postgres-type.js';
import { ValueFault } from './value.fault.js';

/**
 * The BSON value of a column's text (`readExpression`). Which BSON type it gets depends on the declared type
 * alone; types that are not named here keep Postgres' text.
 * @throws ValueFault for a value that BSON cannot hold exactly
 */
export function toBson(declared: PostgresType, text: string | null, fidelity: Fidelity): BsonValue {
  if (text === null) return null;
  const type = baseType(declared);
  if (type.kind === 'array' && type.of) return arrayToBson(type.of, text, fidelity);
  if (type.kind !== 'base') return text;
  switch (type.name) {
    case 'int2':
    case 'int4':
      return new Int32(Number(text));
    case 'int8':
      return Long.fromString(text);
    case 'float4':
    case 'float8':
      return new Double(Number(text));
    case 'numeric':
      return isTextNumeric(type) ? text : Decimal128.fromString(text);
    case 'money':
      return Decimal128.fromString(text);
    case 'bool':
      return text.startsWith('t');
    case 'bytea':
      return new Binary(Buffer.from(text.slice(2), 'hex'));
    case 'uuid':
      return new UUID(text);
    case 'timestamp':
    case 'timestamptz':
      return isDate(type, fidelity) ? parseTimestamp(text, fidelity) : isoTimestamp(text);
    case 'json':
    case 'jsonb':
      return jsonToBson(text, fidelity === 'paired');
    case 'hstore':
      return parseHstore(text);
    default:
      return text;
  }
}

function arrayToBson(element: PostgresType, text: string, fidelity: Fidelity): BsonValue {
  const name = baseType(element).name;
  if (name === 'box') return text; // the one type whose arrays are delimited by semicolons
  const convert = (items: ArrayText): BsonValue[] =>
    items.map((item) => {
      if (item === null || typeof item === 'string') return toBson(element, item, fidelity);
      if (name === 'json' || name === 'jsonb') throw new ValueFault(`an array of ${name} of two dimensions`);
      return convert(item);
    });
  return convert(parseArray(text));
}
