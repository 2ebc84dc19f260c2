import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { bringUp, openProjectStack } from '@millrace/cli';
import type { StackEndpoints } from '@millrace/testing';
import type { TestProject } from 'vitest/node';
import { ownStateDir } from './e2e/support/state-dir.js';

/**
 * Starts a stack for the tests alone, from nothing, two instances of each service, and removes it at the end.
 * `MILLRACE_STACK_FILE` names the `stack.json` of another one to use instead: for single tests, and a stack that they
 * may kill parts of.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const file = process.env.MILLRACE_STACK_FILE;
  if (file) {
    project.provide('stack', JSON.parse(await readFile(file, 'utf8')) as StackEndpoints);
    project.provide('stackFolder', dirname(resolve(file)));
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
  const { endpoints } = await bringUp((options) => openProjectStack({ ...own, ...options }));
  project.provide('stack', endpoints);
  project.provide('stackFolder', ownStateDir);
  return async () => {
    await stack.down({ volumes: true });
  };
}
