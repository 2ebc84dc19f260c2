import type { Pipeline } from '../pipelines/pipeline.schema.js';
import { wildcardOf } from '../pipelines/wildcard.js';
import { deadLetterTopics } from '../sources/change-topics.js';
import { leftBehind } from './left-behind.js';
import { PipelineSources } from './pipeline-sources.js';
import { PipelineTargets } from './pipeline-targets.js';
import type { PreparationOptions } from './preparation.options.js';
import { ToldTopics } from './told-topics.js';

/** Brings databases, topics and connectors to what the pipelines need. Everything is told before it is done. */
export class Preparation {
  readonly #topics: ToldTopics;
  readonly #targets: PipelineTargets;
  readonly #sources: PipelineSources;

  constructor(private readonly options: PreparationOptions) {
    this.#topics = new ToldTopics(options);
    this.#targets = new PipelineTargets(options);
    this.#sources = new PipelineSources(options, this.#topics);
  }

  /** Tells what `apply` would do, and what it leaves to `remove` and `dropSlot`; changes nothing. */
  async plan(): Promise<void> {
    const { pipelines } = this.options;
    await this.#targets.check(pipelines);
    await this.#targets.plan(pipelines);
    await this.#topics.plan(deadLetterTopics(pipelines));
    await this.#sources.plan(pipelines);
    await this.#tellLeftBehind();
  }

  /** Does what `plan` tells; again changes nothing, and tells what it leaves. */
  async apply(): Promise<void> {
    const { pipelines } = this.options;
    await this.#targets.check(pipelines);
    await this.#topics.apply(deadLetterTopics(pipelines));
    await this.#targets.apply(pipelines);
    await this.#sources.apply(pipelines);
    await this.#tellLeftBehind();
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
    await this.#targets.removePairs(removed);
    const givenUp = await this.#sources.remove(removed, others, dropSlot);
    await this.#targets.release(removed);
    if (dropSlot) await this.#sources.refuseKeptSlots(givenUp);
    const named = removed.find((each) => each.name === name);
    const wildcard = named && wildcardOf(named);
    tell(
      wildcard === undefined
        ? `${name} is undone: take it out of the file, or the next apply brings it back`
        : `${name} is undone until the next apply, for which the wildcard ${wildcard} stands for it: to keep it out, name the other tables instead of the wildcard`,
    );
  }

  /**
   * Gives up a database that no pipeline of the file reads: its slot, its connector, and what following it needs.
   * @throws Error while a pipeline reads it, for a name that the environment does not have, and where the slot stays
   */
  dropSlot(database: string): Promise<void> {
    return this.#sources.dropSlot(database, this.options.pipelines);
  }

  async #tellLeftBehind(): Promise<void> {
    for (const line of await leftBehind(this.options)) this.options.tell(line);
  }
}
