/** A number as it was written: what `5`, `5.0` and `5e0` differ in. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

/** An object's fields in their order, with every repetition. */
export class JsonObject {
  constructor(readonly entries: readonly (readonly [string, JsonNode])[]) {}
}

export type JsonNode = string | boolean | null | JsonNumber | JsonObject | readonly JsonNode[];

const MAX_DEPTH = 250;
const WORDS = /true|false|null|-?Infinity|NaN/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads JSON (RFC 8259) without losing what `JSON.parse` does: the text of numbers, repeated fields, a field
 * named `__proto__`. Bare `NaN`, `Infinity` and `-Infinity`, which MongoDB's Java driver writes, are numbers.
 * @throws SyntaxError with the position
 */
export function readJson(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.end();
  return node;
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    this.#take(SPACE);
    switch (this.text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
    }
    const word = this.#take(WORDS);
    if (word === 'null') return null;
    if (word === 'true' || word === 'false') return word === 'true';
    const number = word ?? this.#take(NUMBER);
    return number ? new JsonNumber(number) : this.#fail('a value expected');
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.text.length) this.#fail('nothing more expected');
  }

  #object(depth: number): JsonObject {
    const entries: [string, JsonNode][] = [];
    this.#list('}', () => {
      if (this.text[this.#at] !== '"') this.#fail('a field name expected');
      const name = this.#string();
      this.#take(SPACE);
      if (this.text[this.#at++] !== ':') this.#fail('a colon expected');
      entries.push([name, this.value(depth + 1)]);
    });
    return new JsonObject(entries);
  }

  #array(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.#list(']', () => items.push(this.value(depth + 1)));
    return items;
  }

  #list(close: string, item: () => void): void {
    this.#at++;
    this.#take(SPACE);
    if (this.text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#take(SPACE);
      const next = this.text[this.#at++];
      if (next === close) return;
      if (next !== ',') this.#fail(`a comma or ${close} expected`);
      this.#take(SPACE);
    }
  }

  #string(): string {
    let end = this.#at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) this.#fail('a string without an end');
    } while (this.#escaped(end));
    const literal = this.text.slice(this.#at, end + 1);
    this.#at = end + 1;
    return JSON.parse(literal) as string;
  }

  #escaped(quote: number): boolean {
    let backslashes = 0;
    while (this.text[quote - 1 - backslashes] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #fail(what: string): never {
    throw new SyntaxError(`JSON: ${what}, at position ${this.#at}`);
  }
}
