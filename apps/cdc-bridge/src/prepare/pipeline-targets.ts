import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { sourceMemoryOf } from '../control/control.js';
import { MongoControl } from '../control/mongo.control.js';
import { MappingRefused, mappedDatabase, mappingFaults } from '../mapping/check-mappings.js';
import { PairPreparation } from '../pairs/pair.preparation.js';
import { type Endpoint, targetsOf } from '../pipelines/endpoint.js';
import {
  isTwoWay,
  type MongoToPostgres,
  type OneWayPipeline,
  type Pipeline,
  type TwoWayPipeline,
} from '../pipelines/pipeline.schema.js';
import { PostgresTarget } from './postgres-target.js';
import { type PreparationOptions, settingsOf, tellLines, tellSteps } from './preparation.options.js';

/** What pipelines need where they write: the bridge's own tables and rights, and both sides of a pair. */
export class PipelineTargets {
  constructor(private readonly options: PreparationOptions) {}

  /** @throws MappingRefused with what is wrong with every pipeline */
  async check(pipelines: readonly Pipeline[]): Promise<void> {
    const { placeOf } = this.options;
    const faults: string[] = [];
    for (const [database, own] of Map.groupBy(pipelines, mappedDatabase)) {
      await this.#with(database, async ({ owner }) => {
        faults.push(...(await mappingFaults(owner, own, placeOf)));
      });
    }
    if (faults.length > 0) throw new MappingRefused(faults);
  }

  async plan(pipelines: readonly Pipeline[]): Promise<void> {
    for (const [name, own] of this.#written(pipelines)) {
      await this.#with(name, async (target) => tellSteps(this.options, name, await target.plan(own)));
    }
    for (const pair of pipelines.filter(isTwoWay)) {
      await this.#withPair(pair, async (pairs) => tellLines(this.options, pair.name, await pairs.plan()));
    }
  }

  async apply(pipelines: readonly Pipeline[]): Promise<void> {
    for (const [name, own] of this.#written(pipelines)) {
      await this.#with(name, async (target) => {
        const steps = await target.plan(own);
        tellSteps(this.options, name, steps);
        await target.apply(steps);
      });
    }
    for (const pair of pipelines.filter(isTwoWay)) {
      await this.#withPair(pair, async (pairs) => {
        tellLines(this.options, pair.name, await pairs.plan());
        await pairs.apply();
      });
    }
  }

  async removePairs(removed: readonly Pipeline[]): Promise<void> {
    for (const pair of removed.filter(isTwoWay)) {
      await this.#withPair(pair, async (pairs) => {
        tellLines(this.options, pair.name, await pairs.planRemoval());
        await pairs.remove();
      });
    }
  }

  /** Takes back rights, and forgets where the pipelines stand. */
  async release(removed: readonly Pipeline[]): Promise<void> {
    for (const pipeline of removed) {
      if (!isTwoWay(pipeline) && 'columns' in pipeline) await this.#revoke(pipeline);
      await this.#forget(pipeline);
    }
  }

  async #revoke({ name, to }: MongoToPostgres): Promise<void> {
    await this.#with(to.postgres, async (target) => {
      const steps = await target.release(name);
      tellSteps(this.options, name, steps);
      await target.apply(steps);
    });
  }

  async #forget(pipeline: Pipeline): Promise<void> {
    const { kind, database } = targetsOf(pipeline)[0] as Endpoint;
    if (kind === 'postgres') {
      await this.#with(database, (target) => target.forget(pipeline.name));
      return;
    }
    const { own } = this.options.databases.mongo(database);
    await new MongoCheckpoints(own).remove(pipeline.name);
    for (const name of [pipeline.name, sourceMemoryOf(pipeline.name)])
      await new MongoControl(own).remove(name);
  }

  /** The Postgres databases in which the bridge keeps something, with the pipelines that write tables there. */
  #written(pipelines: readonly Pipeline[]): Map<string, MongoToPostgres[]> {
    const targets = new Map<string, MongoToPostgres[]>();
    for (const pipeline of pipelines) {
      const { kind, database } = targetsOf(pipeline)[0] as Endpoint;
      if (kind !== 'postgres') continue;
      const own = targets.get(database) ?? [];
      targets.set(database, own);
      if (!isTwoWay(pipeline)) own.push(...tableOf(pipeline));
    }
    return targets;
  }

  async #with(database: string, use: (target: PostgresTarget) => Promise<void>): Promise<void> {
    const target = await PostgresTarget.open(settingsOf(this.options, database));
    try {
      await use(target);
    } finally {
      await target.close();
    }
  }

  async #withPair(pair: TwoWayPipeline, use: (pairs: PairPreparation) => Promise<void>): Promise<void> {
    const [{ postgres }, { mongo }] = pair.between;
    await this.#with(postgres, (target) =>
      use(new PairPreparation(pair, target.owner, target.role, this.options.databases.mongo(mongo))),
    );
  }
}

function tableOf(pipeline: OneWayPipeline): MongoToPostgres[] {
  return 'columns' in pipeline ? [pipeline] : [];
}
