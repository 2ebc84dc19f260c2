import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, type ConsumedRecord } from '@millrace/messaging';
import { ControlUnavailable, describeFailure } from './failure.js';
import type { RunnerParts } from './runner.parts.js';

/** After so long a wait is a reason for not being ready. */
const SHOWN_AFTER_MS = 5_000;
/** How often the last error is written for the other instances to see. */
const TELL_EVERY_MS = 1_000;

/** What keeps a partition from going on, what it could not apply, and what it has asked for because of it. */
export class Troubles {
  #waiting: { readonly since: number; readonly reason: string } | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #snapshot: string | undefined;

  constructor(
    private readonly parts: RunnerParts,
    private readonly partition: number,
  ) {}

  /** What the partition waits for, where it has waited long enough to be told. */
  get reason(): string | undefined {
    if (!this.#waiting || performance.now() - this.#waiting.since < SHOWN_AFTER_MS) return undefined;
    return this.#waiting.reason;
  }

  over(): void {
    this.#waiting = undefined;
  }

  /** Pauses before the next attempt, longer each time and never the same. */
  async wait(error: unknown, backoff: Backoff, attempt: number, signal: AbortSignal): Promise<void> {
    const { code, text } = describeFailure(error);
    this.#waiting = { since: this.#waiting?.since ?? performance.now(), reason: `${code}: ${text}` };
    this.#tell(code, text);
    await sleep(backoffMs(backoff, attempt), undefined, { signal });
  }

  buried(record: ConsumedRecord, { code, text }: { code: string; text: string }): void {
    const { topic, partition, offset } = record;
    const message = `${topic}/${partition}@${offset} is in the dead-letter topic: ${text}`;
    this.parts.log.warn(message, { pipeline: this.parts.route.pipeline.name, code });
    this.#tell(code, message, true);
  }

  /** @throws ControlUnavailable */
  async sweep(reason: string): Promise<void> {
    const { control, route, log } = this.parts;
    await control.requestSweep(route.pipeline.name, reason).catch(unavailable);
    log.info(`a sweep is asked for: ${reason}`, { pipeline: route.pipeline.name });
  }

  /**
   * A second snapshot may lack rows that the target has. The sweep is asked for before the snapshot is remembered: a
   * crash between asks twice.
   * @throws ControlUnavailable
   */
  async snapshotSeen(snapshot: string): Promise<void> {
    if (snapshot === this.#snapshot) return;
    const { checkpoints, control, route, log } = this.parts;
    const { name } = route.pipeline;
    // In this order: another partition remembers the snapshot before its checkpoint passes a row of it.
    const hasRead = (await checkpoints.all(name).catch(unavailable)).some(({ read }) => read > 0n);
    const before = (await control.all().catch(unavailable)).get(name)?.snapshot ?? null;
    // The first rows of a pipeline that came later are of no whole snapshot, and leave none to remember.
    const isFirst = before === null && !hasRead;
    if (!isFirst && before !== snapshot) {
      await this.sweep(`a new snapshot began: ${snapshot}`);
      const message = `a new snapshot began, ${snapshot}: unless it was asked for, changes were lost`;
      log.warn(message, { pipeline: name });
      this.#tell('SNAPSHOT_AGAIN', message, true);
    }
    if (before !== snapshot) await control.rememberSnapshot(name, snapshot).catch(unavailable);
    this.#snapshot = snapshot;
  }

  /** As well as can be: the database that keeps it may be the one that is away. */
  #tell(code: string, text: string, always = false): void {
    const now = performance.now();
    if (!always && now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    const { control, route, log } = this.parts;
    const { name } = route.pipeline;
    if (!always) log.warn(`waits: ${text}`, { pipeline: name, partition: this.partition, code });
    control.setLastError(name, { code, message: text, at: new Date() }).catch(() => undefined);
  }
}

function unavailable(error: unknown): never {
  throw new ControlUnavailable(error);
}
