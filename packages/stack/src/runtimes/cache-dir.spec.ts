import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheDir } from './cache-dir.js';

describe('the folder of fetched programs', () => {
  it('is XDG_CACHE_HOME wherever that is set', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      expect(cacheDir({ XDG_CACHE_HOME: '/big' }, platform, '/home/ann')).toBe(join('/big', 'millrace'));
    }
  });

  it('is the platform’s own place for caches otherwise, one per user', () => {
    expect(cacheDir({}, 'linux', '/home/ann')).toBe(join('/home/ann', '.cache', 'millrace'));
    expect(cacheDir({}, 'darwin', '/Users/ann')).toBe(join('/Users/ann', 'Library', 'Caches', 'millrace'));
    expect(cacheDir({ LOCALAPPDATA: '/ann/local' }, 'win32', '/ann')).toBe(
      join('/ann/local', 'millrace', 'Cache'),
    );
  });
});
