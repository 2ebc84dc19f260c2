import { DeadLetters, SchemaRegistry, TopicOffsets } from '@millrace/messaging';
import type { Control, ControlStore } from '../control/control.js';
import { ControlWatch } from '../control/control.watch.js';
import { openControl } from '../control/open-control.js';
import type { DatabaseSettings } from '../databases/database-settings.js';
import { OpenDatabases } from '../databases/open-databases.js';
import { appNameOf } from '../pairs/pair.connections.js';
import { type GuardedDatabase, TransactionGuard } from '../pairs/transaction-guard.js';
import { type Endpoint, sourcesOf, targetsOf } from '../pipelines/endpoint.js';
import { isTwoWay, type Pipeline } from '../pipelines/pipeline.schema.js';
import type { SourceSnapshot } from '../sources/source-watermarks.js';
import { CountedDeadLetters } from './counted.dead-letters.js';
import { OneWayService, type SharedParts } from './one-way.service.js';
import type { PipelineService } from './pipeline.service.js';
import { openSources, type Sources, type SourcesOptions } from './sources.js';
import { TwoWayService } from './two-way.service.js';

export interface BridgeOptions extends SourcesOptions {
  readonly registryUrl: string;
  readonly limits?: SharedParts['limits'];
}

/** There is no such pipeline in the file. */
export class PipelineUnknown extends Error {
  readonly code = 'PIPELINE_UNKNOWN';
  readonly canRetry = false;

  constructor(name: string) {
    super(`there is no pipeline ${name}`);
  }
}

/** Every pipeline of this process, and what they share. Close it. */
export class Bridge {
  readonly services: ReadonlyMap<string, PipelineService>;
  readonly sources: Sources;
  readonly letters: CountedDeadLetters;
  readonly #databases: OpenDatabases;
  readonly #deadLetters: DeadLetters;
  readonly #offsets: TopicOffsets;
  readonly #controls = new Map<string, ControlStore>();
  readonly #watches: ReadonlyMap<ControlStore, ControlWatch>;
  readonly #guard: TransactionGuard;

  constructor(options: BridgeOptions) {
    const { brokers, log, pipelines, registryUrl, limits } = options;
    const kafka = { brokers, clientId: 'cdc-bridge', log };
    this.#databases = new OpenDatabases(options.databases, log);
    this.#deadLetters = new DeadLetters(kafka);
    this.letters = new CountedDeadLetters(this.#deadLetters);
    this.#offsets = new TopicOffsets(kafka);
    const registry = new SchemaRegistry({ url: registryUrl });
    const onSnapshot = (database: string, snapshot: SourceSnapshot) =>
      this.#tellOfSnapshot(database, snapshot);
    this.sources = openSources({ ...options, onSnapshot }, this.#databases, registry);
    const shared: SharedParts = {
      databases: this.#databases,
      registry,
      deadLetters: this.letters,
      offsets: this.#offsets,
      sources: this.sources,
      brokers,
      log,
      ...(limits && { limits }),
    };
    this.services = new Map(
      pipelines.map((pipeline) => [
        pipeline.name,
        isTwoWay(pipeline)
          ? new TwoWayService(pipeline, this.#controlOf(pipeline), shared)
          : new OneWayService(pipeline, this.#controlOf(pipeline), shared),
      ]),
    );
    this.#watches = this.#watchesOf(pipelines);
    this.#guard = new TransactionGuard(guardedBy(pipelines, options.databases), log);
  }

  /** Returns at once: what is away is waited for. */
  start(): void {
    this.#guard.start();
    this.sources.start();
    for (const watch of this.#watches.values()) watch.start();
    for (const service of this.services.values()) service.start();
  }

  /** @throws PipelineUnknown */
  service(name: string): PipelineService {
    const found = this.services.get(name);
    if (!found) throw new PipelineUnknown(name);
    return found;
  }

  /** For every instance, and for those that start later. @throws PipelineUnknown; what the database throws */
  async setPaused(name: string, paused: boolean): Promise<void> {
    const control = this.#controlOf(this.service(name).pipeline);
    await control.setPaused(name, paused);
    await this.#watches.get(control)?.look();
  }

  /** Why the bridge does not do all of its work; none while it does. */
  reasons(): string[] {
    return [
      ...this.sources.reasons(),
      ...[...this.#watches.values()].flatMap((watch) => watch.reasons()),
      ...[...this.services.values()].flatMap((service) => service.reasons()),
    ];
  }

  /** What does not flow, while the rest does: keys that are parked, a database that nobody reads any more. */
  async notes(): Promise<string[]> {
    const told = await Promise.all([...this.services.values()].map((service) => service.notes?.() ?? []));
    return [...this.sources.notes(), ...told.flat()];
  }

  /** Finishes what is in hand, within a bounded time. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#watches.values()].map((watch) => watch.close()));
    await Promise.allSettled([...this.services.values()].map((service) => service.close()));
    await Promise.allSettled([this.sources.close(), this.#deadLetters.close(), this.#offsets.close()]);
    await this.#databases.close();
    await this.#guard.close();
  }

  async #tellOfSnapshot(database: string, snapshot: SourceSnapshot): Promise<void> {
    const reading = [...this.services.values()].filter(({ pipeline }) =>
      sourcesOf(pipeline).some((source) => source.database === database),
    );
    await Promise.all(reading.map((service) => service.snapshotBegan(snapshot)));
  }

  /** Where a pipeline's control is: in the database that it writes to, for a pair in Postgres. */
  #controlOf(pipeline: Pipeline): ControlStore {
    const target = targetsOf(pipeline)[0] as Endpoint;
    const found = this.#controls.get(target.database) ?? openControl(target, this.#databases);
    this.#controls.set(target.database, found);
    return found;
  }

  #watchesOf(pipelines: readonly Pipeline[]): ReadonlyMap<ControlStore, ControlWatch> {
    const byStore = Map.groupBy(pipelines, (pipeline) => this.#controlOf(pipeline));
    const watches = [...byStore].map(([store, own]) => {
      const follow = (controls: (pipeline: string) => Control) => {
        for (const { name } of own) this.services.get(name)?.follow(controls(name));
      };
      return [store, new ControlWatch(store, follow)] as const;
    });
    return new Map(watches);
  }
}

/** The MongoDB databases of pairs. */
function guardedBy(
  pipelines: readonly Pipeline[],
  databases: readonly DatabaseSettings[],
): GuardedDatabase[] {
  return databases
    .map(({ name, url }) => {
      const pairs = pipelines.filter(isTwoWay).filter(({ between }) => between[1].mongo === name);
      return { url, appNames: pairs.map((pair) => appNameOf(pair.name)) };
    })
    .filter(({ appNames }) => appNames.length > 0);
}
