import { createHash, type Hash } from 'node:crypto';
import type { Document } from 'mongodb';
import { canonicalText } from '../values/canonical.js';

/**
 * One side of a pair's key as the decision sees it. Its hash begins with a tag of the fields that it is of, so that
 * it can be compared with the hash of a time when the pair had fewer: columns are added at the end of a table.
 */
export interface Image {
  /** The canonical text of each mapped field, in the pair's order; empty where the field is null or missing. */
  readonly fields: readonly string[];
  readonly hash: string;
  /** What `newest` compares, in milliseconds since the epoch; null where that field holds no date. */
  readonly instant: number | null;
  /** How many of the first fields another hash is of; undefined where it is of others than these. */
  widthOf(hash: string): number | undefined;
  /** The hash of as many fields as another is of. */
  like(hash: string): string | undefined;
}

const TAG_LENGTH = 6;
const HASH_LENGTH = 22;

/** The fields of a pair, in the order of its columns. */
export class ImageFields {
  readonly #names: readonly string[];
  readonly #newest: string | undefined;
  /** How many of the first fields each tag is of. */
  readonly #widths: ReadonlyMap<string, number>;
  readonly #tag: string;

  constructor(names: readonly string[], newest?: string) {
    this.#names = names;
    this.#newest = newest;
    const all = createHash('sha256');
    const tags = [tagOf(all), ...names.map((name) => tagOf(all.update(JSON.stringify(name))))];
    this.#widths = new Map(tags.map((tag, width) => [tag, width]));
    this.#tag = tags.at(-1) ?? '';
  }

  /** The image of a document, or of a row already mapped to BSON; an absent one has none. */
  imageOf(document: Readonly<Document> | null): Image | null {
    if (document === null) return null;
    const fields = this.#names.map((name) => canonicalText(own(document, name)));
    const instant = this.#newest === undefined ? null : own(document, this.#newest);
    const widthOf = (hash: string) => this.#widths.get(prefixOf(hash));
    return {
      fields,
      hash: this.#tag + this.#contentOf(fields, fields.length),
      instant: instant instanceof Date ? instant.getTime() : null,
      widthOf,
      like: (hash) => {
        const width = widthOf(hash);
        return width === undefined ? undefined : prefixOf(hash) + this.#contentOf(fields, width);
      },
    };
  }

  /** Without what is null: a column that goes or comes and holds nothing changes nothing. */
  #contentOf(fields: readonly string[], width: number): string {
    const named = fields.slice(0, width).flatMap((text, i) => (text === '' ? [] : [[this.#names[i], text]]));
    return digest(createHash('sha256').update(JSON.stringify(named)), HASH_LENGTH);
  }
}

function tagOf(hash: Hash): string {
  return `${digest(hash.copy(), TAG_LENGTH)}.`;
}

function digest(hash: Hash, length: number): string {
  return hash.digest('base64url').slice(0, length);
}

function prefixOf(hash: string): string {
  return hash.slice(0, hash.indexOf('.') + 1);
}

/** A document's own field: one that it merely inherits, such as `constructor`, is missing. */
function own(document: Readonly<Document>, name: string): unknown {
  return Object.hasOwn(document, name) ? document[name] : undefined;
}
