import { allowAnySchema, applyTopics, ConnectApi, checkTopics, type Log } from '@millrace/messaging';
import type { TopicDeclaration } from '@millrace/schemas';
import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { sourceMemoryOf } from '../control/control.js';
import { MongoControl } from '../control/mongo.control.js';
import type { DatabaseSettings } from '../databases/database-settings.js';
import type { OpenDatabases } from '../databases/open-databases.js';
import type { Step } from '../databases/step.js';
import { MappingRefused, mappedDatabase, mappingFaults } from '../mapping/check-mappings.js';
import { connectorName } from '../names/bridge-names.js';
import { PairPreparation } from '../pairs/pair.preparation.js';
import { type Endpoint, targetsOf } from '../pipelines/endpoint.js';
import {
  isTwoWay,
  type MongoToPostgres,
  type OneWayPipeline,
  type Pipeline,
  type TwoWayPipeline,
} from '../pipelines/pipeline.schema.js';
import { wildcardOf } from '../pipelines/wildcard.js';
import type { LoadedPipelines } from '../runner/load-pipelines.js';
import { deadLetterTopics, subjectsOf } from '../sources/change-topics.js';
import {
  applySource,
  planSource,
  removeSource,
  type SourceDeps,
  type SourcePlan,
} from '../sources/prepare-source.js';
import { type PreparedSource, type Source, sourcesOfPipelines } from '../sources/source.js';
import { requestDueSweeps } from './due-sweeps.js';
import { PostgresTarget } from './postgres-target.js';
import { revocations } from './target-rights.js';

export interface PreparationOptions extends LoadedPipelines {
  readonly settings: readonly Required<DatabaseSettings>[];
  readonly databases: OpenDatabases;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connectUrl: string;
  /** As Connect reaches it. */
  readonly connectRegistryUrl: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Takes what is about to be done, a line each. */
  tell(line: string): void;
}

/** Brings databases, topics and connectors to what the pipelines need. Everything is told before it is done. */
export class Preparation {
  readonly #deps: SourceDeps;
  /** The topics that were made by this deploy step. */
  readonly #made = new Set<string>();

  constructor(private readonly options: PreparationOptions) {
    this.#deps = {
      connect: new ConnectApi(options.connectUrl),
      registryUrl: options.connectRegistryUrl,
      applyTopics: (topics) => this.#applyTopics(topics),
      signal: options.signal,
    };
  }

  /** Tells what `apply` would do; changes nothing. */
  async plan(): Promise<void> {
    const { pipelines } = this.options;
    await this.#checkMappings(pipelines);
    for (const [settings, own] of this.#targets(pipelines)) {
      await this.#withTarget(settings, async (target) =>
        this.#tellSteps(settings.name, await target.plan(own)),
      );
    }
    for (const pair of pipelines.filter(isTwoWay)) {
      await this.#withPair(pair, async (pairs) => this.#tellLines(pair.name, await pairs.plan()));
    }
    await this.#tellTopics(deadLetterTopics(pipelines));
    for (const source of this.#sources(pipelines)) {
      const plan = await planSource(source, this.#deps);
      this.#tellSource(plan);
      await this.#tellTopics(plan.topics);
    }
    for (const source of await this.#orphans(pipelines)) {
      this.options.tell(
        `${source.name}: the connector ${connectorName(source.name)} is stopped; its slot stays`,
      );
    }
  }

  /** Does what `plan` tells; again changes nothing. */
  async apply(): Promise<void> {
    const { pipelines, tell } = this.options;
    await this.#checkMappings(pipelines);
    await this.#applyTopics(deadLetterTopics(pipelines));
    for (const [settings, own] of this.#targets(pipelines)) {
      await this.#withTarget(settings, async (target) => {
        const steps = await target.plan(own);
        this.#tellSteps(settings.name, steps);
        await target.apply(steps);
      });
    }
    for (const pair of pipelines.filter(isTwoWay)) {
      await this.#withPair(pair, async (pairs) => {
        this.#tellLines(pair.name, await pairs.plan());
        await pairs.apply();
      });
    }
    await Promise.all(this.#sources(pipelines).map((source) => this.#applySource(source, pipelines)));
    for (const source of await this.#orphans(pipelines)) {
      tell(`${source.name}: the connector ${connectorName(source.name)} is stopped; its slot stays`);
      await removeSource(source, this.#deps, (steps) => this.#tellSteps(source.name, steps), {
        dropSlot: false,
      });
    }
  }

  /**
   * Undoes what was done for one pipeline, or for all that a wildcard stands for, and forgets where they stand; the
   * rows that they wrote stay.
   * @param dropSlot also the slot of a database from which nothing flows any more
   */
  async remove(name: string, dropSlot: boolean): Promise<void> {
    const { pipelines, tell } = this.options;
    const isMeant = (each: Pipeline) => each.name === name || wildcardOf(each) === name;
    const removed = pipelines.filter(isMeant);
    const others = pipelines.filter((each) => !isMeant(each));
    if (removed.length === 0)
      throw new Error(`there is no pipeline ${name}: remove it before it is taken out of the file`);
    for (const pair of removed.filter(isTwoWay)) {
      await this.#withPair(pair, async (preparation) => {
        this.#tellLines(pair.name, await preparation.planRemoval());
        await preparation.remove();
      });
    }
    const remaining = this.#sources(others);
    for (const source of this.#sources(removed)) {
      const still = remaining.find((each) => each.name === source.name);
      if (still) await this.#applySource(still, others);
      else
        await removeSource(source, this.#deps, (steps) => this.#tellSteps(source.name, steps), { dropSlot });
    }
    for (const pipeline of removed) {
      if (!isTwoWay(pipeline) && 'columns' in pipeline) await this.#releaseTarget(pipeline, others);
      await this.#forget(pipeline);
    }
    const named = removed.find((each) => each.name === name);
    const wildcard = named && wildcardOf(named);
    tell(
      wildcard === undefined
        ? `${name} is undone: take it out of the file, or the next apply brings it back`
        : `${name} is undone until the next apply, for which the wildcard ${wildcard} stands for it: to keep it out, name the other tables instead of the wildcard`,
    );
  }

  /** A snapshot that is due brings no deletions: a sweep is asked for before it. */
  async #applySource(source: PreparedSource, pipelines: readonly Pipeline[]): Promise<void> {
    const { databases } = this.options;
    await applySource(
      source,
      this.#deps,
      (plan) => this.#tellSource(plan),
      (due) => requestDueSweeps(source.name, due, this.#made, pipelines, databases),
    );
  }

  async #releaseTarget(pipeline: MongoToPostgres, others: readonly Pipeline[]): Promise<void> {
    await this.#withTarget(this.#settingsOf(pipeline.to.postgres), async (target) => {
      const steps = await revocations(target.owner, target.role, pipeline, others);
      this.#tellSteps(pipeline.name, steps);
      await target.apply(steps);
    });
  }

  /** @throws MappingRefused with what is wrong with every pipeline */
  async #checkMappings(pipelines: readonly Pipeline[]): Promise<void> {
    const { placeOf } = this.options;
    const faults: string[] = [];
    for (const [database, own] of Map.groupBy(pipelines, mappedDatabase)) {
      await this.#withTarget(this.#settingsOf(database), async ({ owner }) => {
        faults.push(...(await mappingFaults(owner, own, placeOf)));
      });
    }
    if (faults.length > 0) throw new MappingRefused(faults);
  }

  async #forget(pipeline: Pipeline): Promise<void> {
    const { kind, database } = targetsOf(pipeline)[0] as Endpoint;
    if (kind === 'postgres') {
      await this.#withTarget(this.#settingsOf(database), (target) => target.forget(pipeline.name));
      return;
    }
    const { own } = this.options.databases.mongo(database);
    await new MongoCheckpoints(own).remove(pipeline.name);
    for (const name of [pipeline.name, sourceMemoryOf(pipeline.name)])
      await new MongoControl(own).remove(name);
  }

  /** The Postgres databases in which the bridge keeps something, with the pipelines that write tables there. */
  #targets(pipelines: readonly Pipeline[]): [Required<DatabaseSettings>, MongoToPostgres[]][] {
    const targets = new Map<string, MongoToPostgres[]>();
    for (const pipeline of pipelines) {
      const { kind, database } = targetsOf(pipeline)[0] as Endpoint;
      if (kind !== 'postgres') continue;
      const own = targets.get(database) ?? [];
      targets.set(database, own);
      if (!isTwoWay(pipeline)) own.push(...tableOf(pipeline));
    }
    return [...targets].map(([name, own]) => [this.#settingsOf(name), own]);
  }

  #sources(pipelines: readonly Pipeline[]): PreparedSource[] {
    return sourcesOfPipelines(pipelines).map((source: Source) => ({
      ...source,
      settings: this.#settingsOf(source.name),
    }));
  }

  /** Databases that no pipeline reads any more, and that still have a connector at work. */
  async #orphans(pipelines: readonly Pipeline[]): Promise<PreparedSource[]> {
    const { settings, signal } = this.options;
    const read = new Set(sourcesOfPipelines(pipelines).map(({ name }) => name));
    const orphans: PreparedSource[] = [];
    for (const database of settings.filter(({ name }) => !read.has(name))) {
      const name = connectorName(database.name);
      const config = await this.#deps.connect.config(name, signal);
      if (config && (await this.#deps.connect.status(name, signal)).connector.state !== 'STOPPED') {
        orphans.push({ kind: database.kind, name: database.name, captured: [], settings: database });
      }
    }
    return orphans;
  }

  #settingsOf(name: string): Required<DatabaseSettings> {
    const found = this.options.settings.find((database) => database.name === name);
    if (!found) throw new Error(`the environment names no database ${name}`);
    return found;
  }

  async #applyTopics(topics: readonly TopicDeclaration[]): Promise<void> {
    if (topics.length === 0) return;
    const { brokers, registryUrl, log, tell } = this.options;
    const { created, altered, differences } = await applyTopics(brokers, topics, log);
    for (const name of created) {
      this.#made.add(name);
      tell(`topic ${name} made`);
    }
    for (const change of altered) tell(`topic ${change}`);
    if (differences.length > 0)
      throw new Error(`topics differ from what is needed: ${differences.join('; ')}`);
    await allowAnySchema(registryUrl, subjectsOf(topics));
  }

  async #withTarget<T>(
    settings: Required<DatabaseSettings>,
    use: (target: PostgresTarget) => Promise<T>,
  ): Promise<T> {
    const target = await PostgresTarget.open(settings);
    try {
      return await use(target);
    } finally {
      await target.close();
    }
  }

  async #withPair(pair: TwoWayPipeline, use: (preparation: PairPreparation) => Promise<void>): Promise<void> {
    const [{ postgres }, { mongo }] = pair.between;
    await this.#withTarget(this.#settingsOf(postgres), (target) =>
      use(new PairPreparation(pair, target.owner, target.role, this.options.databases.mongo(mongo))),
    );
  }

  #tellSource({ source, steps, connector }: SourcePlan): void {
    this.#tellSteps(source, steps);
    for (const line of connector) this.options.tell(`${source}: connector ${connectorName(source)}: ${line}`);
  }

  async #tellTopics(topics: readonly TopicDeclaration[]): Promise<void> {
    const { brokers, log, tell } = this.options;
    for (const fault of await checkTopics({ brokers, clientId: 'cdc-bridge-prepare', log }, topics))
      tell(fault);
  }

  #tellSteps(where: string, steps: readonly Step[]): void {
    this.#tellLines(
      where,
      steps.map(({ what }) => what),
    );
  }

  #tellLines(where: string, lines: readonly string[]): void {
    for (const line of lines) this.options.tell(`${where}: ${line}`);
  }
}

function tableOf(pipeline: OneWayPipeline): MongoToPostgres[] {
  return 'columns' in pipeline ? [pipeline] : [];
}
