import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { identify, isAlive, type ProcessIdentity } from '../processes/process-identity.js';
import { StackError } from '../stack.error.js';

/**
 * Runs `work` while no other command changes this stack. The lock of a command that was killed does not count.
 * @throws StackError OTHER_COMMAND
 */
export const withCommandLock = async <T>(file: string, work: () => Promise<T>): Promise<T> => {
  const self = identify(process.pid);
  if (!self) return work();
  await acquire(file, self);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
};

const acquire = async (file: string, self: ProcessIdentity): Promise<void> => {
  const own = `${file}.${self.pid}`;
  await writeFile(own, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await linked(own, file)) return;
      const holder = await holderOf(file);
      if (holder && isAlive(holder)) {
        throw new StackError(
          'OTHER_COMMAND',
          `Another command (process ${holder.pid}) is starting or stopping this stack: wait until it is done.`,
        );
      }
      await discard(file, own);
    }
    throw new StackError('OTHER_COMMAND', `Other commands keep starting or stopping this stack: try again.`);
  } finally {
    await rm(own, { force: true });
  }
};

/** Takes the lock with its content in one move; false where it is taken. */
const linked = (own: string, file: string): Promise<boolean> =>
  link(own, file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

const holderOf = async (file: string): Promise<ProcessIdentity | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? undefined : (JSON.parse(text) as ProcessIdentity);
};

/** Moves a dead command's lock aside before removing it, so that two commands cannot remove each other's. */
const discard = async (file: string, own: string): Promise<void> => {
  await rename(file, `${own}.stale`).catch(() => {});
  await rm(`${own}.stale`, { force: true });
};
