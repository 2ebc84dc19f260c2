import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bareMachine } from '../spec-support/bare-machine.js';
import type { CacheEntry, RuntimeCache } from './runtime-cache.js';

/** An entry whose content tells which fetch it is from. */
function tool(fetches: string[], name = 'tool-1'): CacheEntry {
  return {
    name,
    title: 'A tool',
    megabytes: 1,
    async fill(folder) {
      fetches.push(folder);
      await delay(30);
      mkdirSync(join(folder, 'bin'));
      writeFileSync(join(folder, 'bin', 'tool'), `fetch ${fetches.length}`);
    },
  };
}

const read = (folder: string) => readFileSync(join(folder, 'bin', 'tool'), 'utf8');
const names = (cache: RuntimeCache) => readdirSync(cache.root).sort();

describe('the cache of fetched programs', () => {
  it('fetches an entry once, also for several that ask at the same time', async () => {
    const machine = bareMachine();
    const fetches: string[] = [];
    const caches = [machine.context().cache, machine.context().cache, machine.context().cache];
    const folders = await Promise.all(caches.map((cache) => cache.ensure(tool(fetches))));
    expect(new Set(folders).size).toBe(1);
    expect(fetches).toHaveLength(1);
    expect(machine.lines).toContain('A tool: another process is fetching it, waiting for that one');
  });

  it('shows nothing of an entry before it is complete, and nothing at all when fetching fails', async () => {
    const machine = bareMachine();
    const { cache } = machine.context();
    const broken: CacheEntry = {
      ...tool([]),
      async fill(folder) {
        writeFileSync(join(folder, 'half'), 'x');
        expect(cache.find('tool-1')).toBeUndefined();
        throw new Error('cut off');
      },
    };
    await expect(cache.ensure(broken)).rejects.toThrow('cut off');
    expect(names(cache)).toEqual([]);
  });

  it('removes what a killed fetch left behind and fetches again', async () => {
    const machine = bareMachine();
    const { cache } = machine.context();
    mkdirSync(join(cache.root, '.tool-1.part-abc'), { recursive: true });
    writeFileSync(join(cache.root, '.tool-1.part-abc', 'half'), 'x');
    expect(read(await cache.ensure(tool([])))).toBe('fetch 1');
    expect(names(cache)).toEqual(['tool-1']);
  });

  it('fetches an entry again that was cut short or lost a file', async () => {
    const machine = bareMachine();
    const { cache } = machine.context();
    const fetches: string[] = [];
    const folder = await cache.ensure(tool(fetches));
    truncateSync(join(folder, 'bin', 'tool'), 3);
    expect(read(await cache.ensure(tool(fetches)))).toBe('fetch 2');
    expect(machine.lines).toEqual([`A tool: the copy in ${folder} is damaged and is fetched again`]);
  });

  it('keeps another entry for another pin', async () => {
    const { cache } = bareMachine().context();
    await cache.ensure(tool([], 'tool-1'));
    await cache.ensure(tool([], 'tool-2'));
    expect(names(cache)).toEqual(['tool-1', 'tool-2']);
  });

  it('stops waiting and fetching when it is asked to', async () => {
    const machine = bareMachine();
    const abort = new AbortController();
    const { cache } = machine.context({ signal: abort.signal });
    const fetching = cache.ensure({
      ...tool([]),
      async fill() {
        abort.abort(new Error('Ctrl-C'));
      },
    });
    await expect(fetching).rejects.toThrow('Ctrl-C');
    expect(names(cache)).toEqual([]);
  });

  it('says in one sentence how much room is missing, before it fetches', async () => {
    const { cache } = bareMachine().context();
    const fetches: string[] = [];
    await expect(cache.ensure({ ...tool(fetches), megabytes: 1e12 })).rejects.toMatchObject({
      code: 'NO_SPACE',
      message: expect.stringMatching(/make room there, or set XDG_CACHE_HOME to a larger disk\.$/),
    });
    expect(fetches).toEqual([]);
  });

  it('says in one sentence that its folder cannot be made', async () => {
    const machine = bareMachine();
    writeFileSync(join(machine.folder, 'file'), '');
    const { cache } = machine.context({ env: { XDG_CACHE_HOME: join(machine.folder, 'file') } });
    await expect(cache.ensure(tool([]))).rejects.toMatchObject({ code: 'CACHE_NOT_WRITABLE' });
    expect(existsSync(cache.root)).toBe(false);
  });
});
