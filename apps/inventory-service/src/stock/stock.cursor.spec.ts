import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './stock.cursor.js';

describe('stock cursor', () => {
  it.each(['A', 'sku-1.b:c', 'Ä €'])('brings back where the page ended: %s', (sku) => {
    expect(decodeCursor(encodeCursor(sku))).toBe(sku);
  });

  const text = (json: string) => Buffer.from(json).toString('base64url');
  it.each([
    '',
    'nonsense',
    text('null'),
    text('{}'),
    text('{"after":""}'),
    text('{"after":{"$gt":""}}'),
    text('{"after":"a","more":1}'),
    text('{ "after": "a" }'),
    `${encodeCursor('a')}=`,
  ])('knows that %j is none of ours', (cursor) => {
    expect(decodeCursor(cursor)).toBeUndefined();
  });
});
