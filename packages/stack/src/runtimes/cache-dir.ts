import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder where fetched programs are kept, once per user: `XDG_CACHE_HOME` wherever it is set, else
 * the platform's own place for caches.
 */
export function cacheDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home = homedir()): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'millrace');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'millrace');
  if (platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'millrace', 'Cache');
  return join(home, '.cache', 'millrace');
}
