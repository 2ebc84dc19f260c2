import { reasonOf, StackError } from '../stack.error.js';
import type { Node, Resource } from './resource.js';
import type { OnProgress } from './start-tree.js';

export interface StopOptions {
  readonly onProgress?: OnProgress;
  /** Leaves alone what it refuses. */
  readonly only?: (name: string) => boolean;
}

/**
 * Stops the tree, last child of a sequence first. One that does not stop keeps nothing else from stopping.
 * @throws StackError STOP_FAILED that names all that did not stop.
 */
export const stopTree = async (root: Node, options: StopOptions = {}): Promise<void> => {
  const failures: { name: string; error: unknown }[] = [];
  await stopNode(root, async (target) => {
    if (options.only && !options.only(target.name)) return;
    const begin = performance.now();
    options.onProgress?.({ name: target.name, state: 'stopping' });
    try {
      await target.stop();
    } catch (error) {
      failures.push({ name: target.name, error });
    }
    options.onProgress?.({ name: target.name, state: 'stopped', ms: performance.now() - begin });
  });
  if (failures.length === 0) return;
  const reasons = failures.map(({ name, error }) => `${name}: ${reasonOf(error)}`).join('; ');
  throw new StackError('STOP_FAILED', `Not everything stopped: ${reasons}`);
};

const stopNode = async (node: Node, stop: (target: Resource) => Promise<void>): Promise<void> => {
  switch (node.kind) {
    case 'resource':
      return stop(node);
    case 'parallel':
      await Promise.all(node.children.map((child) => stopNode(child, stop)));
      return;
    case 'sequence':
      for (const child of node.children.toReversed()) await stopNode(child, stop);
  }
};
