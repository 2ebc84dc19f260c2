import { setTimeout as sleep } from 'node:timers/promises';
import { type Control, type ControlStore, NO_CONTROL } from './control.js';

const EVERY_MS = 1_000;
/** By then every instance that is alive and reaches the database follows what was written there before, in ms. */
export const FOLLOWED_WITHIN_MS = 2 * EVERY_MS;

/** Follows what all instances have agreed on, and tells the pipelines of this one. */
export class ControlWatch {
  readonly #closed = new AbortController();
  #fault: string | undefined;
  /** How many looks were begun, and the last of them that was told of. */
  #looks = 0;
  #told = 0;
  #life: Promise<void> = Promise.resolve();

  /** @param follow takes a pipeline's control, with each look */
  constructor(
    private readonly store: ControlStore,
    private readonly follow: (controls: (pipeline: string) => Control) => void,
  ) {}

  start(): void {
    this.#life = this.#watch();
  }

  /** Looks now; where a later look was faster, that one counts. @throws what the database throws */
  async look(): Promise<void> {
    const look = ++this.#looks;
    const controls = await this.store.all();
    if (look < this.#told) return;
    this.#told = look;
    this.follow((pipeline) => controls.get(pipeline) ?? NO_CONTROL);
  }

  /** Why what the others have agreed on is not known; empty where it is. */
  reasons(): string[] {
    return this.#fault ? [`the pipelines' controls cannot be read: ${this.#fault}`] : [];
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#life;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await this.look();
        this.#fault = undefined;
      } catch (error) {
        this.#fault = (error as Error).message;
      }
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
