import { expect, test } from 'vitest';
import { fromCursor, toCursor } from './cursor.js';

const id = '019a9c3e-5b1f-7c7e-9b1e-2f5a6f0c1d2e';

test('a cursor leads back to its id and does not show it', () => {
  expect(fromCursor(toCursor(id))).toBe(id);
  expect(toCursor(id)).not.toContain('019a');
});

test.each(['', 'x', id, `${toCursor(id)}=`, `${toCursor(id)}AA`, toCursor(id).slice(1), "' OR 1=1 --"])(
  '%j is not a cursor',
  (text) => {
    expect(fromCursor(text)).toBeUndefined();
  },
);
