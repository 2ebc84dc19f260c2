import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { bringUp, openProjectStack } from '@millrace/cli';
import type { StackEndpoints } from '@millrace/testing';
import type { TestProject } from 'vitest/node';
import { root } from './e2e/support/root.js';

/** The folder of the stack that the tests start for themselves, beside the one of daily work. */
const ownStateDir = resolve(root, '.millrace/test');

/**
 * Starts a stack for the tests alone, from nothing and without its services, and removes it at the end.
 * `MILLRACE_STACK_FILE` names the `stack.json` of another one to use instead: for single tests, and a stack that they
 * may kill parts of.
 */
export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const run = vitest.getRootProject();
  if ('stack' in run.getProvidedContext()) return undefined;
  const file = process.env.MILLRACE_STACK_FILE;
  if (file) {
    run.provide('stack', JSON.parse(await readFile(file, 'utf8')) as StackEndpoints);
    run.provide('stackFolder', dirname(resolve(file)));
    return undefined;
  }
  const own = {
    name: 'test',
    stateDir: ownStateDir,
    instances: { 'order-service': 2, 'inventory-service': 2 },
    // Orders expire only where a test wants it: see impatient-order-service.ts.
    serviceEnv: { 'order-service': { ORDER_EXPIRY_MS: '900000' } },
  };
  const stack = openProjectStack(own);
  await stack.down({ volumes: true });
  const open = (options: object) => openProjectStack({ ...own, ...options });
  const { endpoints } = await bringUp(open, { infraOnly: true });
  run.provide('stack', endpoints);
  run.provide('stackFolder', ownStateDir);
  return async () => {
    await stack.down({ volumes: true });
  };
}
