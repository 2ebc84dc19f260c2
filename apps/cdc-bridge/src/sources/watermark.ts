import { randomUUID } from 'node:crypto';
import type { WatermarkRecord, WatermarkWriter } from './watermark-writer.js';

interface UnderWay {
  /** By the monotonic clock, in milliseconds. */
  readonly writtenAt: number;
  readonly arrive: (() => void) | undefined;
}

/** The markers of one source: those under way, and how long the last that came took. */
export class Watermark {
  readonly #underWay = new Map<string, UnderWay>();
  #lastMs: number | undefined;
  #fault: string | undefined;

  constructor(private readonly writer: WatermarkWriter) {}

  get topic(): string {
    return this.writer.topic;
  }

  /** Why the last marker could not be written. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Writes a marker that nobody waits for: its age is the lag until it has come, or a later one has. */
  async mark(): Promise<void> {
    await this.#write(randomUUID(), undefined);
  }

  /** Writes a marker and waits for it: true when it has come, false where it could not be written or the signal came first. */
  async pass(signal: AbortSignal): Promise<boolean> {
    const id = randomUUID();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const giveUp = () => resolve(false);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const isWritten = await this.#write(id, () => resolve(true));
      return isWritten && !signal.aborted && (await promise);
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#underWay.delete(id);
    }
  }

  /** The id of the marker that a record tells of; undefined where it tells of none. */
  markerIn(record: WatermarkRecord): string | undefined {
    return this.writer.markerIn(record);
  }

  /** Called with the id of each marker that is seen in the topic. */
  arrived(id: string): void {
    const marker = this.#underWay.get(id);
    if (!marker) return;
    this.#lastMs = performance.now() - marker.writtenAt;
    for (const [other, { writtenAt, arrive }] of this.#underWay) {
      if (!arrive && writtenAt <= marker.writtenAt) this.#underWay.delete(other);
    }
    this.#underWay.delete(id);
    marker.arrive?.();
  }

  /** The age of the oldest marker under way, or how long the last took, whichever is more. */
  lagMs(now: number): number | undefined {
    const [oldest] = this.#underWay.values();
    const waiting = oldest ? now - oldest.writtenAt : undefined;
    return this.#lastMs === undefined ? waiting : Math.max(this.#lastMs, waiting ?? 0);
  }

  prune(): Promise<void> {
    return this.writer.prune();
  }

  async #write(id: string, arrive: UnderWay['arrive']): Promise<boolean> {
    this.#underWay.set(id, { writtenAt: performance.now(), arrive });
    try {
      await this.writer.write(id);
      this.#fault = undefined;
      return true;
    } catch (error) {
      this.#underWay.delete(id);
      this.#fault = error instanceof Error ? error.message : String(error);
      return false;
    }
  }
}
