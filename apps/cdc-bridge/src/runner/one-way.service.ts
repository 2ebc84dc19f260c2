import type { DeadLetters, Log, SchemaRegistry, TopicOffsets } from '@millrace/messaging';
import type { Checkpoint, CheckpointStore } from '../checkpoints/checkpoint.js';
import { type Control, type ControlStore, NO_CONTROL } from '../control/control.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import { describeEndpoint, type Endpoint, sourcesOf, targetsOf } from '../pipelines/endpoint.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import type { SourceSnapshot } from '../sources/source-watermarks.js';
import { sweep } from '../verification/sweep.js';
import { type VerifyParts, verify } from '../verification/verify.js';
import { ColumnWatch } from './column-watch.js';
import { Declaration } from './declaration.js';
import { describeFailure } from './failure.js';
import { Gate } from './gate.js';
import { OneWayLife } from './one-way.life.js';
import { checkpointsOf, type OneWayParts, openOneWay, targetColumns } from './one-way.parts.js';
import { PendingRows } from './pending-rows.js';
import { PipelineRunner } from './pipeline.runner.js';
import {
  NotAPair,
  PipelineNotReady,
  PipelinePaused,
  type PipelineService,
  type PipelineStatus,
} from './pipeline.service.js';
import { drained, isApplied, progressOf } from './progress.js';
import { replay } from './replay.js';
import { RequestedSweeps } from './requested-sweeps.js';
import { RUNNER_LIMITS, type RunnerLimits } from './runner.parts.js';
import { followSnapshot } from './source-snapshot.js';
import type { SourcesPort } from './sources.port.js';
import { oneWayStatus } from './status.js';
import { checkTopicsOf } from './topic-check.js';

/** What all pipelines of a process share. It stays its owner's. */
export interface SharedParts {
  readonly databases: NamedDatabases;
  readonly registry: SchemaRegistry;
  readonly deadLetters: Pick<DeadLetters, 'write'>;
  readonly offsets: Pick<TopicOffsets, 'range' | 'ranges'>;
  readonly sources: SourcesPort;
  readonly brokers: readonly string[];
  readonly log: Log;
  readonly limits?: Partial<RunnerLimits>;
}

/** One one-way pipeline in this process, from the first attempt to reach its databases to the last batch. */
export class OneWayService implements PipelineService {
  readonly #gate = new Gate();
  readonly #closed = new AbortController();
  /** Aborted when the pipeline is paused; another one when it is resumed. */
  #going = new AbortController();
  readonly #declaration: Declaration;
  readonly #checkpoints: CheckpointStore;
  readonly #source: Endpoint;
  readonly #sweeps: RequestedSweeps;
  readonly #life: OneWayLife;
  #control: Control = NO_CONTROL;
  #known: readonly Checkpoint[] = [];

  constructor(
    readonly pipeline: OneWayPipeline,
    private readonly controls: ControlStore,
    private readonly shared: SharedParts,
  ) {
    this.#declaration = new Declaration({
      pipeline,
      controls,
      log: shared.log,
      closed: this.#closed.signal,
      requestSnapshot: () => this.#requestSnapshot(),
    });
    this.#checkpoints = checkpointsOf(pipeline, shared.databases);
    this.#source = sourcesOf(pipeline)[0] as Endpoint;
    this.#sweeps = new RequestedSweeps({
      pipeline,
      controls,
      log: shared.log,
      closed: this.#closed.signal,
      partsOf: () => this.#verifyParts(),
      ends: async (signal) => {
        await shared.sources.caughtUp(this.#source.database, signal);
        return shared.offsets.ranges(this.#refuseUnlessRunning().route.topic);
      },
      isApplied: async (ends) => {
        const { topic } = this.#refuseUnlessRunning().route;
        return isApplied({ pipeline: pipeline.name, topic }, ends, this.#checkpoints);
      },
    });
    const columns = targetColumns(pipeline, shared.databases);
    this.#life = new OneWayLife({
      pipeline: pipeline.name,
      log: shared.log,
      columns: columns && new ColumnWatch(columns),
      open: () => this.#open(),
      runnerOver: (parts) => this.#runnerOver(parts),
    });
    // It may be paused: that is known with the first look at the control.
    this.#gate.close();
  }

  start(): void {
    this.#life.start();
  }

  follow(control: Control): void {
    this.#control = control;
    const { parts } = this.#life;
    if (parts) this.#declaration.follow(parts.route.keyless);
    const held = this.#held();
    if (held) {
      this.#gate.close();
      this.#going.abort(held);
    } else {
      if (this.#going.signal.aborted) this.#going = new AbortController();
      this.#gate.open();
    }
    if (control.sweep !== null && !held && this.#life.runner?.leads)
      this.#sweeps.carryOut(control.sweep, this.#going.signal);
  }

  reasons(): string[] {
    const { fault, runner } = this.#life;
    if (this.#control.paused) return [];
    const told = fault ? [fault] : (runner?.reasons() ?? ['it has not started yet']);
    const held = this.#held();
    return held ? [held.message] : told.map((reason) => `${this.pipeline.name}: ${reason}`);
  }

  async status(): Promise<PipelineStatus> {
    const { offsets, sources } = this.shared;
    const [target] = targetsOf(this.pipeline);
    const { checkpoints, away } = await this.#lastCheckpoints();
    const { parts, runner } = this.#life;
    const topic = parts?.route.topic;
    const ranges = topic === undefined || away ? null : await offsets.ranges(topic).catch(() => null);
    const told = oneWayStatus({
      control: this.#control,
      isOpen: runner !== undefined,
      reasons: [...this.reasons(), ...(away ?? []), ...sources.alarms(this.#source.database)],
      checkpoints,
      progress: ranges && topic !== undefined ? progressOf(topic, ranges, checkpoints) : null,
      mine: runner?.partitions() ?? [],
      now: Date.now(),
    });
    return {
      name: this.pipeline.name,
      kind: 'one-way',
      from: describeEndpoint(this.#source),
      to: describeEndpoint(target as Endpoint),
      ...told,
      lag: { ...told.lag, sourceSeconds: sources.lagSeconds(this.#source.database) ?? null },
      reports: parts?.route.reports ?? [],
    };
  }

  verify(signal: AbortSignal): Promise<object> {
    return this.#whileGoing(signal, (bounded) => verify(this.#verifyParts(), bounded));
  }

  async repair(signal: AbortSignal, from?: string): Promise<object> {
    if (from !== undefined)
      throw new NotAPair(this.pipeline.name, 'its source always wins, and no side can be chosen');
    return this.#whileGoing(signal, (bounded) => sweep(this.#verifyParts(), bounded));
  }

  replay(signal: AbortSignal): Promise<object> {
    return this.#whileGoing(signal, async (bounded) => {
      return replay({ ...this.shared, ...this.#verifyParts() }, bounded);
    });
  }

  async resnapshot(): Promise<void> {
    this.#refuseUnlessRunning();
    await this.#requestSnapshot();
    await this.controls.requestSweep(this.pipeline.name, 'a new snapshot was asked for');
  }

  snapshotBegan(snapshot: SourceSnapshot): Promise<void> {
    const { controls, pipeline } = this;
    return followSnapshot(
      { pipeline, controls, checkpoints: this.#checkpoints, log: this.shared.log },
      snapshot,
    );
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#life.close();
    await Promise.all([this.#sweeps.ended(), this.#declaration.ended()]);
  }

  async #open(): Promise<OneWayParts> {
    const parts = await openOneWay(this.pipeline, this.shared.databases, this.shared.registry);
    await checkTopicsOf(this.pipeline, this.shared, parts.route.keyless);
    return parts;
  }

  #requestSnapshot(): Promise<void> {
    return this.shared.sources.requestSnapshot(this.#source.database, this.#source.name);
  }

  #runnerOver(parts: OneWayParts): PipelineRunner {
    return new PipelineRunner({
      ...parts,
      ...this.shared,
      limits: { ...RUNNER_LIMITS, ...this.shared.limits },
      checkpoints: this.#checkpoints,
      control: this.controls,
      gate: this.#gate,
      requestSnapshot: () => this.#requestSnapshot(),
    });
  }

  /** While the sink's database is away, what it last told. */
  async #lastCheckpoints(): Promise<{ checkpoints: readonly Checkpoint[]; away?: readonly string[] }> {
    try {
      this.#known = await this.#checkpoints.all(this.pipeline.name);
      return { checkpoints: this.#known };
    } catch (error) {
      const { code, text } = describeFailure(error);
      return { checkpoints: this.#known, away: [`its checkpoints cannot be read: ${code}: ${text}`] };
    }
  }

  /** Ends the work when the pipeline is paused. @throws PipelineNotReady then; what the work throws */
  async #whileGoing<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal: going } = this.#going;
    try {
      return await work(AbortSignal.any([signal, going, this.#closed.signal]));
    } catch (error) {
      throw going.aborted ? going.reason : error;
    }
  }

  /** @throws PipelineNotReady */
  #refuseUnlessRunning(): OneWayParts {
    const { name } = this.pipeline;
    const { parts, fault } = this.#life;
    if (!parts) throw new PipelineNotReady(`${name} has not started: ${fault ?? 'it is about to'}`);
    const held = this.#held();
    if (held) throw held;
    return parts;
  }

  /** Why the pipeline rests on purpose; undefined while it does not. */
  #held(): PipelineNotReady | undefined {
    const { name } = this.pipeline;
    if (this.#control.paused) return new PipelinePaused(name);
    return this.#declaration.held(this.#control);
  }

  #verifyParts(): VerifyParts & OneWayParts {
    const { name, delay } = this.pipeline;
    const { route, sink } = this.#refuseUnlessRunning();
    const { offsets, sources } = this.shared;
    return {
      route,
      sink,
      caughtUp: (signal) => sources.caughtUp(this.#source.database, signal),
      drained: (signal) =>
        drained({ pipeline: name, topic: route.topic }, offsets, this.#checkpoints, signal),
      ...(delay && {
        pending: () => new PendingRows({ ...this.shared, route, checkpoints: this.#checkpoints }),
      }),
    };
  }
}
