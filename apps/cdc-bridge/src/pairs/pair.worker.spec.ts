import { expect, it, vi } from 'vitest';
import type { PairSync } from './pair.sync.js';
import { PairWorker } from './pair.worker.js';
import { Round } from './round.js';

const KEY = '["1"]';

it('takes no look at every key for done while one of them is in hand', async () => {
  const rounds: (() => void)[] = [];
  const lastPage = Promise.withResolvers<void>();
  const sync = {
    parts: {
      postgres: {
        everyRow: async function* () {
          yield [KEY];
        },
        withoutRow: async () => [],
      },
      mongo: {
        everyId: async function* () {
          yield* [];
        },
        everyBase: async function* () {
          await lastPage.promise;
          yield* [];
        },
      },
    },
    // The row is held by somebody, and free the second time.
    round: async (keys: readonly string[]) => {
      const round = new Round(keys);
      if (rounds.length === 0) round.later(keys);
      else for (const key of keys) round.nothing(key);
      await new Promise<void>((resolve) => rounds.push(resolve));
      return round;
    },
  } as unknown as PairSync;
  const worker = new PairWorker(sync, () => {});
  const running = worker.run();
  const done = vi.fn();
  const checked = worker.checkedEverything(AbortSignal.timeout(10_000)).then(done);
  await vi.waitFor(() => expect(rounds).toHaveLength(1));
  rounds[0]?.();
  await vi.waitFor(() => expect(rounds).toHaveLength(2));
  lastPage.resolve();
  await vi.waitFor(() => expect(worker.isCheckingEverything).toBe(false));
  expect(done).not.toHaveBeenCalled();
  rounds[1]?.();
  await checked;
  worker.stop();
  await running;
});
