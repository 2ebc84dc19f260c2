import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, PartitionRange } from '@millrace/messaging';
import type { ControlStore, SweepRequest } from '../control/control.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import { type SweepReport, sweep } from '../verification/sweep.js';
import type { VerifyParts } from '../verification/verify.js';
import { describeFailure } from './failure.js';
import type { OneWayParts } from './one-way.parts.js';
import { outcomeOf, SweepIncomplete } from './sweep-outcome.js';

export interface RequestedSweepsOptions {
  readonly pipeline: OneWayPipeline;
  readonly controls: ControlStore;
  readonly log: Log;
  /** Aborted when the process ends. */
  readonly closed: AbortSignal;
  /** @throws PipelineNotReady */
  partsOf(): VerifyParts & OneWayParts;
  /** How far the topic goes that has everything which the source committed before the call. */
  ends(signal: AbortSignal): Promise<readonly PartitionRange[]>;
  /** Whether the topic is applied up to there. */
  isApplied(ends: readonly PartitionRange[]): Promise<boolean>;
  /** The least rest after one that is to be repeated. Default: 10 s. */
  readonly againMs?: number;
}

const AGAIN_MS = 10_000;
/** Nobody waits for it, and a large table takes long: what is bounded is only one that stands still. */
const SWEEP_WITHIN_MS = 12 * 60 * 60 * 1_000;

/** Carries out the sweeps that are asked for of one pipeline, one at a time. */
export class RequestedSweeps {
  #underWay: Promise<void> | undefined;
  /** Of a delayed pipeline: how far its topic went when the request was first seen. */
  #requested: { readonly id: string; readonly ends: readonly PartitionRange[]; isSwept: boolean } | undefined;

  constructor(private readonly options: RequestedSweepsOptions) {}

  /**
   * Begins one, unless one is under way. A failed one is tried again when it is asked for again.
   * @param going aborted when the pipeline is paused
   */
  carryOut(request: SweepRequest, going: AbortSignal): void {
    this.#underWay ??= this.#carryOut(request, going).finally(() => (this.#underWay = undefined));
  }

  /** Resolves when none is under way. */
  async ended(): Promise<void> {
    await this.#underWay;
  }

  async #carryOut({ id, reason }: SweepRequest, going: AbortSignal): Promise<void> {
    const { pipeline, controls, log, closed } = this.options;
    const { name } = pipeline;
    const begun = performance.now();
    try {
      const report = await this.#swept(id, going);
      if (report === null) {
        await this.#rest(begun);
        return;
      }
      if (report.repaired.failed > 0) await this.#tellRefused(report);
      await controls.sweepDone(name, id);
      log.info(`swept: ${reason}`, { pipeline: name, report });
    } catch (error) {
      // It stays asked for, and begins again with the next look, of this or another process.
      if (closed.aborted) return;
      if (going.aborted) {
        log.info(`the sweep waits for the pipeline: ${reason}`, { pipeline: name });
        return;
      }
      const { code, text } = describeFailure(error);
      log.warn(`the sweep failed and is tried again: ${text}`, { pipeline: name, code });
      const message = `the sweep failed: ${text}`;
      await controls.setLastError(name, { code, message, at: new Date() }).catch(() => undefined);
      await this.#rest(error instanceof SweepIncomplete ? begun : performance.now());
    }
  }

  /** What waits for a delay is not looked at over and over, nor a large table without a rest. */
  async #rest(since: number): Promise<void> {
    const { pipeline, closed, againMs = AGAIN_MS } = this.options;
    const restMs = Math.max(againMs, (pipeline.delay ?? 0) / 10, performance.now() - since);
    await sleep(restMs, undefined, { signal: closed }).catch(() => undefined);
  }

  async #isLate(id: string, signal: AbortSignal): Promise<boolean> {
    const { pipeline, ends, isApplied } = this.options;
    if (!pipeline.delay) return true; // what was in the topic is awaited
    if (this.#requested?.id !== id) this.#requested = { id, ends: await ends(signal), isSwept: false };
    return isApplied(this.#requested.ends);
  }

  /** Before the request is taken back: the target lacks rows, and nobody else would say so. */
  async #tellRefused(report: SweepReport): Promise<void> {
    const { pipeline, controls, log } = this.options;
    const { code, message: text } = new SweepIncomplete(report);
    const message = `the sweep met rows that are refused: ${text}`;
    log.warn(message, { pipeline: pipeline.name, code });
    await controls.setLastError(pipeline.name, { code, message, at: new Date() });
  }

  /**
   * Sweeps until no row is left that it can mend: of a delayed pipeline once at once, and once more when what was in
   * the topic by then is applied.
   * @returns null until then
   * @throws SweepIncomplete where another may mend more
   */
  async #swept(id: string, going: AbortSignal): Promise<SweepReport | null> {
    const { pipeline, log, closed, partsOf } = this.options;
    for (;;) {
      const signal = AbortSignal.any([closed, going, AbortSignal.timeout(SWEEP_WITHIN_MS)]);
      const isLate = await this.#isLate(id, signal);
      if (!isLate && this.#requested?.isSwept) return null;
      const report = await sweep(partsOf(), signal);
      const outcome = outcomeOf(report, isLate);
      if (outcome === 'done') return report;
      if (outcome === 'later') throw new SweepIncomplete(report);
      if (outcome === 'early' && this.#requested) {
        this.#requested.isSwept = true;
        log.info('swept, and once more when what waits is applied', { pipeline: pipeline.name, report });
      } else log.info('swept, and more is left', { pipeline: pipeline.name, report });
    }
  }
}
