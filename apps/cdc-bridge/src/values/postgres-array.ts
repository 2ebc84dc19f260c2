import { ValueFault } from './value.fault.js';

export type ArrayText = readonly (string | null | ArrayText)[];

/**
 * Reads Postgres' array literal (postgresql.org/docs/current/arrays.html#ARRAYS-IO): `{1,NULL,"a b"}`,
 * `{{1,2},{3,4}}`.
 * @throws ValueFault for an array whose lower bound is not 1, which BSON cannot express
 */
export function parseArray(text: string): ArrayText {
  if (!text.startsWith('{')) throw new ValueFault('an array whose lower bound is not 1');
  let at = 1;
  const list = (): ArrayText => {
    const items: (string | null | ArrayText)[] = [];
    if (text[at] === '}') {
      at++;
      return items;
    }
    for (;;) {
      items.push(item());
      if (text[at++] === '}') return items;
    }
  };
  const item = (): string | null | ArrayText => {
    if (text[at] === '{') {
      at++;
      return list();
    }
    if (text[at] === '"') return quoted();
    const start = at;
    while (text[at] !== ',' && text[at] !== '}') at++;
    const word = text.slice(start, at);
    return word === 'NULL' ? null : word;
  };
  const quoted = (): string => {
    let content = '';
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++;
      content += text[at];
    }
    at++;
    return content;
  };
  return list();
}

/** Writes an array literal, each element quoted. */
export function formatArray(items: ArrayText): string {
  const texts = items.map((item) => {
    if (item === null) return 'NULL';
    if (typeof item === 'string') return `"${item.replace(/["\\]/g, '\\$&')}"`;
    return formatArray(item);
  });
  return `{${texts.join()}}`;
}
