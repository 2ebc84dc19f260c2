/**
 * The stack as a tree.
 *
 * - A `sequence` starts its children one after the other; each waits until those before it are ready.
 * - A `parallel` starts its children at once.
 * - `after(names, node)` lets a child of a sequence start earlier: as soon as the named resources are ready.
 *
 * Stopping always goes the other way round: a sequence stops its last child first, whatever started when.
 */
export type Node = (Resource | Sequence | Parallel) & { readonly after?: readonly string[] };

export interface Resource {
  readonly kind: 'resource';
  readonly name: string;
  /** How long `healthy` may refuse before the start has failed. */
  readonly healthTimeoutMs: number;
  /** Starts it; says `running` when there was nothing to do. */
  start(signal: AbortSignal): Promise<'started' | 'running'>;
  /** The health gate: throws the reason for as long as the resource does not do its work. */
  healthy(signal: AbortSignal): Promise<void>;
  /** Where to read when it fails: the log and its end. */
  readonly hint?: () => Promise<string>;
  /** Ends it, within a bound of its own. Does nothing when it is not running. */
  stop(): Promise<void>;
}

export interface Sequence {
  readonly kind: 'sequence';
  readonly children: readonly Node[];
}

export interface Parallel {
  readonly kind: 'parallel';
  readonly children: readonly Node[];
}

export const resource = (definition: Omit<Resource, 'kind'>): Resource => ({
  kind: 'resource',
  ...definition,
});

export const sequence = (...children: readonly Node[]): Sequence => ({ kind: 'sequence', children });

export const parallel = (...children: readonly Node[]): Parallel => ({ kind: 'parallel', children });

export const after = (names: readonly string[], node: Node): Node => ({ ...node, after: names });

/** A resource that is done once it has run: nothing to watch, nothing to stop. Must be repeatable. */
export const step = (
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
  hint?: () => Promise<string>,
): Resource =>
  resource({
    name,
    healthTimeoutMs: 0,
    start: async (signal) => {
      await run(signal);
      return 'started';
    },
    healthy: async () => {},
    stop: async () => {},
    ...(hint && { hint }),
  });

/** Every resource of the tree, in the order in which it is written. */
export const resourcesOf = (node: Node): Resource[] =>
  node.kind === 'resource' ? [node] : node.children.flatMap(resourcesOf);
