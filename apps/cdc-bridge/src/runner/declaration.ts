import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@millrace/messaging';
import type { Control, ControlStore } from '../control/control.js';
import { FOLLOWED_WITHIN_MS } from '../control/control.watch.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import { PipelineNotReady } from './pipeline.service.js';

/** How late rows come, what becomes of deletions from now on, and who makes the table. */
const NOT_OF_ROWS = new Set<string>(['name', 'delay', 'deletes', 'create']);

/** What of a pipeline's entry decides which rows its target has, and in which form; 64 hexadecimal digits. */
export function declarationOf(pipeline: OneWayPipeline): string {
  const declared = Object.entries(pipeline).filter(([field]) => !NOT_OF_ROWS.has(field));
  const text = JSON.stringify(Object.fromEntries(declared), (_, value: unknown) => sorted(value));
  return createHash('sha256').update(text).digest('hex');
}

/** The order of keys in the file, and of what is dropped or let through, means nothing. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(item)).sort();
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Another entry is followed than this instance has: it would write rows in their older form. */
export class EntryChanged extends PipelineNotReady {
  constructor(name: string) {
    super(`${name}: its entry has changed, and this instance waits: if it has the older one, start it again`);
  }
}

/** Whether an instance with this declaration may write. */
export function mayWrite(declaration: string, { declaration: followed }: Control): boolean {
  return followed === null || followed === declaration;
}

export interface DeclaredPipeline {
  readonly pipeline: OneWayPipeline;
  /** Whether its rows have no key, so that a row which is read again is one more. */
  readonly keyless: boolean;
  readonly controls: ControlStore;
  readonly log: Log;
  /** Ends the wait for other instances. */
  readonly signal: AbortSignal;
  /** @throws Error where the source does not take it */
  requestSnapshot(): Promise<void>;
}

/**
 * Brings the rows of a pipeline whose entry has changed since it last ran, in their new form, or to where they go now.
 * Nothing is removed but what a filter leaves out: a target may hold what is not the bridge's.
 * @throws what the database and the source throw while they are away
 */
export async function followDeclaration(declared: DeclaredPipeline): Promise<void> {
  const { pipeline, keyless, controls, log, signal, requestSnapshot } = declared;
  const { name } = pipeline;
  const now = declarationOf(pipeline);
  const before = (await controls.all()).get(name)?.declaration ?? null;
  if (before === now) return;
  if (before !== null) {
    const what = 'its entry has changed since it last ran';
    if (keyless || pipeline.snapshot === 'never') {
      log.warn(`${what}: rows that flowed before stay as they are until they change, or until repair`, {
        pipeline: name,
      });
    } else {
      // What is neither the older nor the newer one holds every instance, and makes one that starts begin here again.
      await controls.rememberDeclaration(name, `on the way to ${now}`);
      await sleep(FOLLOWED_WITHIN_MS, undefined, { signal });
      await requestSnapshot();
      log.info(`${what}: a new snapshot is asked for`, { pipeline: name });
    }
  }
  await controls.rememberDeclaration(name, now);
}
