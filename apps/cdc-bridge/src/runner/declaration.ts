import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@millrace/messaging';
import type { Control, ControlStore } from '../control/control.js';
import { FOLLOWED_WITHIN_MS } from '../control/control.watch.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import { describeFailure } from './failure.js';
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
  constructor(name: string, fault: string | undefined) {
    super(
      `${name}: its entry has changed, and this instance waits: ${fault ?? 'if it has the older one, start it again'}`,
    );
  }
}

export interface DeclaredPipeline {
  readonly pipeline: OneWayPipeline;
  readonly controls: ControlStore;
  readonly log: Log;
  /** Aborted when the process ends. */
  readonly closed: AbortSignal;
  /** @throws Error where the source does not take it */
  requestSnapshot(): Promise<void>;
}

/**
 * Brings the rows of a pipeline whose entry has changed since it last ran, in their new form, or to where they go now;
 * holds meanwhile the instances that have the older one. Nothing is removed but what a filter leaves out: a target may
 * hold what is not the bridge's.
 */
export class Declaration {
  readonly #own: string;
  #isFollowed = false;
  #underWay: Promise<void> | undefined;
  #fault: string | undefined;

  constructor(private readonly options: DeclaredPipeline) {
    this.#own = declarationOf(options.pipeline);
  }

  /**
   * Begins once, when this instance has started, and again where it failed: an entry that changes later is another
   * instance's.
   * @param keyless whether its rows have no key, so that a row which is read again is one more
   */
  follow(keyless: boolean): void {
    if (this.#isFollowed) return;
    this.#underWay ??= this.#follow(keyless)
      .catch((error) => this.#failed(error))
      .finally(() => (this.#underWay = undefined));
  }

  /** Why this instance may not write; undefined while it may. */
  held({ declaration }: Control): EntryChanged | undefined {
    if (declaration === null || declaration === this.#own) return undefined;
    return new EntryChanged(this.options.pipeline.name, this.#fault);
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#underWay;
  }

  async #follow(keyless: boolean): Promise<void> {
    const { pipeline, controls, log, closed, requestSnapshot } = this.options;
    const { name } = pipeline;
    const before = (await controls.all()).get(name)?.declaration ?? null;
    if (before !== this.#own) {
      const what = 'its entry has changed since it last ran';
      if (before !== null && (keyless || pipeline.snapshot === 'never')) {
        log.warn(`${what}: rows that flowed before stay as they are until they change, or until repair`, {
          pipeline: name,
        });
      } else if (before !== null) {
        // What is neither the older nor the newer one holds every instance, and one that starts begins here again.
        await controls.rememberDeclaration(name, `on the way to ${this.#own}`);
        await sleep(FOLLOWED_WITHIN_MS, undefined, { signal: closed });
        await requestSnapshot();
        log.info(`${what}: a new snapshot is asked for`, { pipeline: name });
      }
      await controls.rememberDeclaration(name, this.#own);
    }
    this.#isFollowed = true;
  }

  #failed(error: unknown): void {
    const { pipeline, log, closed } = this.options;
    if (closed.aborted) return;
    const { code, text } = describeFailure(error);
    if (this.#fault !== text)
      log.warn(`its entry waits to be followed: ${text}`, { pipeline: pipeline.name, code });
    this.#fault = text;
  }
}
