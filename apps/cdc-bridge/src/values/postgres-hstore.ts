import { type BsonDocument, setField } from './bson-value.js';

const PAIR = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)(?:, )?/gsy;

/** Reads what `hstore` prints: `"a"=>"1", "b"=>NULL`. */
export function parseHstore(text: string): BsonDocument {
  const document: BsonDocument = {};
  for (const [, key = '', value] of text.matchAll(PAIR)) {
    setField(document, unquote(key), value === undefined ? null : unquote(value));
  }
  return document;
}

export function formatHstore(entries: readonly (readonly [string, string | null])[]): string {
  return entries.map(([key, value]) => `${quote(key)}=>${value === null ? 'NULL' : quote(value)}`).join();
}

const unquote = (text: string) => text.replace(/\\(.)/gs, '$1');
const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
