import { type JsonNode, JsonNumber, JsonObject, readJson } from './json-reader.js';

/**
 * As `JSON.parse`, but a number that a double would alter, in a digit or in its scale, stays the text that it is:
 * `9007199254740993` and `900.00` become strings.
 * @throws SyntaxError with the position
 */
export function exactJson(text: string): unknown {
  return plain(readJson(text));
}

function plain(node: JsonNode): unknown {
  if (node instanceof JsonNumber) {
    const number = Number(node.text);
    return String(number) === node.text ? number : node.text;
  }
  if (Array.isArray(node)) return node.map(plain);
  if (node instanceof JsonObject) {
    return Object.fromEntries(node.entries.map(([name, value]) => [name, plain(value)]));
  }
  return node;
}
