import type { Column } from '../postgres/table-columns.js';
import type { Fields } from '../sinks/compaction.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import type { BsonValue } from '../values/bson-value.js';
import { canonicalDecimal } from '../values/decimal.js';
import { type JsonNode, JsonNumber, JsonObject, readJson } from '../values/json-reader.js';
import { baseType } from '../values/postgres-type.js';
import { parseInstant } from './instant.js';

/**
 * One text for all values that are the same key to Postgres: an ObjectId and its hexadecimal text in a `text` column,
 * 5 and 5.0 in an `int4`.
 * @throws ValueFault for a value that a column of the key cannot hold
 */
export function keyText(key: readonly Column[], fields: Fields): string {
  return JSON.stringify(
    key.map((column) => partText(column, Object.hasOwn(fields, column.name) ? fields[column.name] : null)),
  );
}

function partText({ type }: Column, value: BsonValue | undefined): string | null {
  const text = toPostgres(type, value ?? null, 'exact');
  if (text === null) return null;
  switch (baseType(type).name) {
    case 'numeric':
    case 'money':
    case 'float4':
    case 'float8':
      return canonicalDecimal(text);
    case 'uuid':
      return text.replace(/[{}-]/g, '').toLowerCase();
    case 'bpchar':
      return text.replace(/ +$/, '');
    case 'timestamp':
    case 'timestamptz':
      // In UTC, of the years that all write alike.
      return parseInstant(text)?.text ?? text;
    case 'jsonb':
      return jsonText(readJson(text));
    default:
      return text;
  }
}

/** Postgres keeps neither the order of an object's fields nor how a number was written. */
function jsonText(node: JsonNode): string {
  if (node instanceof JsonNumber) return canonicalDecimal(node.text);
  if (Array.isArray(node)) return `[${node.map(jsonText).join()}]`;
  if (!(node instanceof JsonObject)) return JSON.stringify(node);
  const fields = node.entries.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`);
  return `{${fields.sort().join()}}`;
}
