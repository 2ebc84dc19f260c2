import { type BsonDocument, type BsonValue, setField } from '../values/bson-value.js';

export type Path = readonly string[];

/** The value at a path through nested documents; undefined where there is none. An array's items have no path. */
export function valueAt(document: BsonDocument, path: Path): BsonValue | undefined {
  let value: BsonValue | undefined = document;
  for (const name of path) {
    if (!isDocument(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A document without what the paths lead to, nor the documents within it that this leaves empty. */
export function without(document: BsonDocument, paths: readonly Path[]): BsonDocument {
  const rest: BsonDocument = {};
  for (const [name, value] of Object.entries(document)) {
    const below = paths.filter(([first]) => first === name).map((path) => path.slice(1));
    if (below.some((path) => path.length === 0)) continue;
    if (below.length === 0 || !isDocument(value)) {
      setField(rest, name, value);
      continue;
    }
    const kept = without(value, below);
    if (Object.keys(kept).length > 0 || Object.keys(value).length === 0) setField(rest, name, kept);
  }
  return rest;
}

/** Puts a value where a path leads, making the documents on its way. */
export function put(document: BsonDocument, [name = '', ...below]: Path, value: BsonValue): void {
  if (below.length === 0) {
    setField(document, name, value);
    return;
  }
  const inner = Object.hasOwn(document, name) ? document[name] : undefined;
  const next: BsonDocument = inner !== undefined && isDocument(inner) ? inner : {};
  setField(document, name, next);
  put(next, below, value);
}

export function isDocument(value: BsonValue | undefined): value is BsonDocument {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
