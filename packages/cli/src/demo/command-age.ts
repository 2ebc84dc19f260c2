import pidusage from 'pidusage';

/**
 * Milliseconds since `pnpm demo` began, what pnpm installs and builds before this program included: the age of
 * pnpm's process, which is two above this one, with a shell between them. The half second in which npx finds pnpm
 * comes before.
 */
export async function commandAge(): Promise<number> {
  const own = performance.now();
  try {
    const shell = await pidusage(process.ppid);
    const pnpm = await pidusage(shell.ppid);
    return Math.max(own, pnpm.elapsed);
  } catch {
    return own; // started without pnpm, by a program that is gone
  }
}
