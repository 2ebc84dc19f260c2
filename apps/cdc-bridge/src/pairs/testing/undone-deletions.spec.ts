import { describe, expect, it } from 'vitest';
import { type Change, NO_NOTE, notLogged, undone } from './undone-deletions.js';

/** Changes of one key, each 'old > new' or 'bridge old > new'; '-' for no row, '?' for one without a note. */
function history(...changes: readonly string[]): Change[] {
  const note = (text: string) => (text === '-' ? null : text === '?' ? NO_NOTE : text);
  return changes.map((change) => {
    const [by, before = '', after = ''] = /^(bridge )?(\S+) > (\S+)$/.exec(change)?.slice(1) ?? [];
    return { table: 'visits', key: 39, old: note(before), new: note(after), byBridge: by !== undefined };
  });
}
const KEY = expect.objectContaining({ table: 'visits', key: 39 });

describe('a deletion that was undone', () => {
  it('is found by a row that the other side only changed', () => {
    const docs = history('bridge - > m', 'm > -', 'bridge - > p');
    expect(undone(docs, history('- > m', 'm > p'))).toEqual([KEY]);
    expect(undone(docs, history('bridge - > m', 'm > ?', '? > p'))).toEqual([KEY]);
    expect(undone(history('- > m', 'm > -', 'bridge - > m'), history('bridge - > m'))).toEqual([KEY]);
  });

  it('was carried out where the other side was without the row at some moment', () => {
    const docs = history('- > m', 'm > -', 'bridge - > p');
    expect(undone(docs, history('bridge - > m', 'bridge m > -', '- > p'))).toEqual([]);
    expect(undone(docs, history('bridge - > m', 'm > p', 'p > -', '- > p'))).toEqual([]);
    expect(undone(docs, history('- > p'))).toEqual([]);
  });

  it('cannot be told from rows without a note', () => {
    const rows = history('bridge - > m', 'bridge m > -', '- > ?');
    expect(undone(history('- > m', 'm > -', 'bridge - > ?'), rows)).toEqual([]);
    expect(undone(history('bridge - > ?', '? > -', 'bridge - > p'), history('- > ?', '? > p'))).toEqual([]);
  });

  it('is named with what happened, unless as many stand in the log', () => {
    const [rows, docs] = [history('bridge - > m', 'm > p'), history('- > m', 'm > -', 'bridge - > p')];
    const deletions = undone(docs, rows);
    expect(notLogged(deletions, [{ table: 'visits', key: '["39"]', loser: null }], rows, docs)).toEqual([]);
    for (const other of [{ loser: { note: 'm' } }, { table: 'others' }, { key: '["3"]' }]) {
      const conflicts = [{ table: 'visits', key: '["39"]', loser: null, ...other }];
      expect(notLogged(deletions, conflicts, rows, docs)).toEqual([
        'visits 39: a deletion\nbridge null > m, m > p\nnull > m, m > null, bridge null > p',
      ]);
    }
  });
});
