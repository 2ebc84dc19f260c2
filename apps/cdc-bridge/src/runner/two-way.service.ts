import { type Control, type ControlStore, NO_CONTROL } from '../control/control.js';
import { PairService } from '../pairs/pair.service.js';
import type { PairStatus } from '../pairs/pair.status.js';
import { describeEndpoint, type Endpoint, sourcesOf } from '../pipelines/endpoint.js';
import type { TwoWayPipeline } from '../pipelines/pipeline.schema.js';
import type { SharedParts } from './one-way.service.js';
import {
  NotOneWay,
  PipelineNotReady,
  PipelinePaused,
  type PipelineService,
  type PipelineState,
  type PipelineStatus,
} from './pipeline.service.js';
import { checkTopicsOf } from './topic-check.js';

const LOOK_TIMEOUT_MS = 600_000;

/** One pair in this process, with the controls that all pipelines have. Its last error is any instance's. */
export class TwoWayService implements PipelineService {
  readonly pair: PairService;
  #control: Control = NO_CONTROL;
  /** Resolves with the first look at what all instances have agreed on: until then nothing is written. */
  readonly #agreed = Promise.withResolvers<void>();

  constructor(
    readonly pipeline: TwoWayPipeline,
    controls: ControlStore,
    private readonly shared: SharedParts,
  ) {
    const { databases, registry, deadLetters, offsets, sources, brokers, log, limits } = shared;
    this.pair = new PairService(pipeline, databases, {
      kafka: { brokers, clientId: 'cdc-bridge' },
      registry,
      deadLetters,
      offsets,
      log,
      caughtUp: (database, signal) => sources.caughtUp(database, signal),
      checkTopics: () => checkTopicsOf(pipeline, shared),
      // As well as can be: the database that keeps it may be the one that is away.
      onError: (error) =>
        void controls.setLastError(pipeline.name, { ...error, at: new Date() }).catch(() => undefined),
      ...(limits?.closeWithinMs !== undefined && { settings: { closeWithinMs: limits.closeWithinMs } }),
    });
  }

  start(): void {
    this.pair.start(this.#agreed.promise);
  }

  follow(control: Control): void {
    const was = this.#control.paused;
    this.#control = control;
    if (control.paused && !was) void this.pair.pause();
    if (!control.paused && was) this.pair.resume();
    this.#agreed.resolve();
  }

  reasons(): string[] {
    return this.pair.reasons();
  }

  async notes(): Promise<string[]> {
    const { parked } = await this.pair.refused();
    return parkedReasons(parked).map((note) => `${this.pipeline.name}: ${note}`);
  }

  async status(): Promise<PipelineStatus> {
    const [row, document] = sourcesOf(this.pipeline) as [Endpoint, Endpoint];
    const { state, counts, queued, lag, inHandSince, parked, unmapped, reports, lastError } =
      await this.pair.status();
    const lags = [row, document].map(({ database }) => this.shared.sources.lagSeconds(database) ?? null);
    return {
      name: this.pipeline.name,
      kind: 'two-way',
      from: describeEndpoint(row),
      to: describeEndpoint(document),
      state: STATES[state],
      reasons: [
        ...this.reasons(),
        ...parkedReasons(parked),
        ...[row, document].flatMap(({ database }) => this.shared.sources.alarms(database)),
      ],
      lag: {
        records: lag,
        sourceSeconds: lags.includes(null) ? null : Math.max(...lags.map(Number)),
        sinkSeconds: lag === 0 ? 0 : inHandSince && Math.max(0, Date.now() - inHandSince) / 1_000,
      },
      rows: {
        read: counts.nothing + counts.docs + counts.rows + counts.bases,
        applied: counts.docs + counts.rows,
      },
      lastError: lastError ?? this.#control.lastError,
      sweep: null,
      reports,
      pair: { conflicts: counts.conflicts, withoutWrite: counts.nothing, queued, parked, unmapped },
    };
  }

  verify(signal: AbortSignal): Promise<object> {
    return this.pair.verify(signal);
  }

  async repair(signal: AbortSignal, from?: 'postgres' | 'mongo'): Promise<object> {
    if (this.#control.paused) throw new PipelinePaused(this.pipeline.name);
    await this.pair.repair(signal, from);
    return { repaired: true };
  }

  async replay(): Promise<object> {
    throw new NotOneWay(this.pipeline.name, 'what it could not carry over is tried again by itself');
  }

  /** A look at every key, begun and not awaited: a pair compares both sides as they are, and needs no images. */
  async resnapshot(): Promise<void> {
    const { name } = this.pipeline;
    if (this.#control.paused) throw new PipelinePaused(name);
    if (!this.pair.isRunning) throw new PipelineNotReady(this.reasons().join('; ') || `${name} rests`);
    this.pair.repair(AbortSignal.timeout(LOOK_TIMEOUT_MS)).catch((err: unknown) => {
      this.shared.log.warn('the look at every key has failed', { pipeline: this.pipeline.name, err });
    });
  }

  async snapshotBegan(): Promise<void> {
    this.pair.checkEverything();
  }

  close(): Promise<void> {
    return this.pair.close();
  }
}

/** A parked key holds up nobody else, so that the bridge stays ready; whoever looks is told. */
function parkedReasons({ count, sample: [first] }: PairStatus['parked']): string[] {
  return first ? [`keys are parked: ${count}, the last of them ${first.key}: ${first.reason}`] : [];
}

const STATES: Readonly<Record<Awaited<ReturnType<PairService['status']>>['state'], PipelineState>> = {
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  waiting: 'waiting',
  restored: 'stopped',
  closed: 'stopped',
};
