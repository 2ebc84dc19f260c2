import { StackError } from '../stack.error.js';
import { passHealthGate, startFailure } from './health-gate.js';
import { type Node, type Resource, resourcesOf } from './resource.js';

export type Progress =
  | { readonly name: string; readonly state: 'starting' }
  | { readonly name: string; readonly state: 'note'; readonly text: string }
  | { readonly name: string; readonly state: 'ready'; readonly ms: number; readonly started: boolean }
  | { readonly name: string; readonly state: 'failed'; readonly ms: number; readonly error: unknown }
  /** It was under way when another failed, or the start was interrupted. */
  | { readonly name: string; readonly state: 'abandoned'; readonly ms: number }
  | { readonly name: string; readonly state: 'stopping' }
  | { readonly name: string; readonly state: 'stopped'; readonly ms: number };

export type OnProgress = (progress: Progress) => void;

export interface StartOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Starts every resource of the tree behind its health gate. The first failure keeps what waits from starting,
 * and is thrown once nothing is under way any more.
 */
export const startTree = async (root: Node, options: StartOptions = {}): Promise<void> => {
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  interrupted.catch(() => {});

  const gates = new Map(resourcesOf(root).map(({ name }) => [name, Promise.withResolvers<void>()]));
  const ready = (name: string) => {
    const gate = gates.get(name);
    if (!gate)
      throw new StackError('UNKNOWN_NAME', `The stack waits for "${name}", which is not part of it.`);
    return gate.promise;
  };

  const startResource = async (target: Resource) => {
    signal.throwIfAborted();
    await reportStart(target, signal, options.onProgress);
    gates.get(target.name)?.resolve();
  };

  const startNode = async (node: Node, elders: Promise<unknown>): Promise<void> => {
    await Promise.race([node.after ? Promise.all(node.after.map(ready)) : elders, interrupted]);
    if (node.kind === 'resource') return startResource(node);
    const started: Promise<void>[] = [];
    for (const child of node.children) {
      const before = node.kind === 'sequence' ? Promise.all(started) : Promise.resolve();
      before.catch(() => {});
      started.push(startNode(child, before).catch((error) => fail(error)));
    }
    await allSettled(started);
  };

  const fail = (error: unknown): never => {
    failure.abort(error);
    throw error;
  };

  try {
    await startNode(root, Promise.resolve());
  } catch (error) {
    throw signal.reason ?? error;
  }
};

const reportStart = async (target: Resource, signal: AbortSignal, report: OnProgress = () => {}) => {
  const { name } = target;
  const begin = performance.now();
  report({ name, state: 'starting' });
  try {
    const outcome = await target.start(signal);
    await passHealthGate(target, signal);
    report({ name, state: 'ready', ms: performance.now() - begin, started: outcome === 'started' });
  } catch (thrown) {
    const ms = performance.now() - begin;
    if (signal.aborted) {
      report({ name, state: 'abandoned', ms });
      throw thrown;
    }
    const error = thrown instanceof StackError ? thrown : await startFailure(target, 'failed', thrown);
    report({ name, state: 'failed', ms, error });
    throw error;
  }
};

/** Waits for all of them, then throws the first rejection: nothing goes on behind the caller's back. */
const allSettled = async (promises: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(promises);
  await Promise.all(promises);
};
