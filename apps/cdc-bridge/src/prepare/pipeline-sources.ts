import { ConnectApi } from '@millrace/messaging';
import { connectorName, slotName } from '../names/bridge-names.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import {
  applySource,
  narrowSource,
  planSource,
  removeSource,
  type SourceDeps,
  type SourcePlan,
} from '../sources/prepare-source.js';
import { readSlot } from '../sources/replication-slot.js';
import { type PreparedSource, type Source, sourcesOfPipelines, unread } from '../sources/source.js';
import { requestDueSweeps } from './due-sweeps.js';
import { type PreparationOptions, settingsOf, tellLines, tellSteps } from './preparation.options.js';
import type { ToldTopics } from './told-topics.js';

type Bringing<T> = (...about: Required<Parameters<typeof applySource>>) => Promise<T>;

/** The databases that pipelines read, their connectors and topics. */
export class PipelineSources {
  readonly #deps: SourceDeps;

  constructor(
    private readonly options: PreparationOptions,
    private readonly topics: ToldTopics,
  ) {
    this.#deps = {
      connect: new ConnectApi(options.connectUrl),
      registryUrl: options.connectRegistryUrl,
      applyTopics: (needed) => topics.apply(needed),
      signal: options.signal,
    };
  }

  async plan(pipelines: readonly Pipeline[]): Promise<void> {
    for (const source of this.#of(pipelines)) {
      const plan = await planSource(source, this.#deps);
      this.#tell(plan);
      await this.topics.plan(plan.topics);
    }
    for (const orphan of await this.#orphans(pipelines)) this.#tellStop(orphan);
  }

  async apply(pipelines: readonly Pipeline[]): Promise<void> {
    await Promise.all(this.#of(pipelines).map((source) => this.#bring(applySource, source, pipelines)));
    for (const orphan of await this.#orphans(pipelines)) {
      this.#tellStop(orphan);
      await this.#remove(orphan, false);
    }
  }

  /**
   * @param dropSlot also the slot of a database from which nothing flows any more
   * @returns the databases from which nothing flows any more
   */
  async remove(
    removed: readonly Pipeline[],
    others: readonly Pipeline[],
    dropSlot: boolean,
  ): Promise<readonly Source[]> {
    const remaining = this.#of(others);
    const givenUp: Source[] = [];
    for (const source of this.#of(removed)) {
      const left = remaining.find(({ name }) => name === source.name);
      if (left && (await this.#bring(narrowSource, left, others))) continue;
      await this.#remove(source, dropSlot);
      givenUp.push(source);
    }
    return givenUp;
  }

  /** @throws Error while a pipeline reads the database, for one that is not known, and where the slot stays */
  async dropSlot(database: string, pipelines: readonly Pipeline[]): Promise<void> {
    const settings = settingsOf(this.options, database);
    if (unread([settings], pipelines).length === 0)
      throw new Error(`pipelines of the file read ${database}: take them out first`);
    const source = nothingOf(settings);
    await this.#remove(source, true);
    await this.refuseKeptSlots([source]);
  }

  /**
   * Connect may not know a connector any more, which alone has the right to drop its slot.
   * @throws Error that says how, where a slot is still there that was to be dropped
   */
  async refuseKeptSlots(sources: readonly Source[]): Promise<void> {
    for (const { name } of sources.filter(({ kind }) => kind === 'postgres')) {
      const slot = slotName(name);
      if (await readSlot(this.options.databases.postgres(name).pool, slot))
        throw new Error(
          `there is no connector ${connectorName(name)} that could drop its slot: drop it with select pg_drop_replication_slot('${slot}') in ${name}, as a role with REPLICATION`,
        );
    }
  }

  /** A snapshot that is due brings no deletions: a sweep is asked for before it. */
  #bring<T>(how: Bringing<T>, source: PreparedSource, pipelines: readonly Pipeline[]): Promise<T> {
    const { databases } = this.options;
    return how(
      source,
      this.#deps,
      (plan) => this.#tell(plan),
      (due) => requestDueSweeps(source.name, due, this.topics.made, pipelines, databases),
    );
  }

  async #remove(source: PreparedSource, dropSlot: boolean): Promise<void> {
    const told = (steps: SourcePlan['steps']) => tellSteps(this.options, source.name, steps);
    await removeSource(source, this.#deps, told, { dropSlot });
  }

  #of(pipelines: readonly Pipeline[]): PreparedSource[] {
    return sourcesOfPipelines(pipelines).map((source: Source) => ({
      ...source,
      settings: settingsOf(this.options, source.name),
    }));
  }

  /** Databases that no pipeline reads any more, and that still have a connector at work. */
  async #orphans(pipelines: readonly Pipeline[]): Promise<PreparedSource[]> {
    const { settings, signal } = this.options;
    const orphans: PreparedSource[] = [];
    for (const database of unread(settings, pipelines)) {
      const name = connectorName(database.name);
      const config = await this.#deps.connect.config(name, signal);
      if (config && (await this.#deps.connect.status(name, signal)).connector.state !== 'STOPPED') {
        orphans.push(nothingOf(database));
      }
    }
    return orphans;
  }

  #tell({ source, steps, connector }: SourcePlan): void {
    tellSteps(this.options, source, steps);
    tellLines(this.options, `${source}: connector ${connectorName(source)}`, connector);
  }

  #tellStop({ name }: PreparedSource): void {
    this.options.tell(`${name}: the connector ${connectorName(name)} is stopped; its slot stays`);
  }
}

function nothingOf(settings: PreparedSource['settings']): PreparedSource {
  return { kind: settings.kind, name: settings.name, captured: [], settings };
}
