import { allowAnySchema, applyTopics, checkTopics } from '@millrace/messaging';
import type { TopicDeclaration } from '@millrace/schemas';
import { subjectsOf } from '../sources/change-topics.js';
import type { PreparationOptions } from './preparation.options.js';

/** Topics as pipelines need them; their subjects take any schema, since the database owns it. */
export class ToldTopics {
  /** Those that were made by this deploy step. */
  readonly made = new Set<string>();

  constructor(
    private readonly options: Pick<PreparationOptions, 'brokers' | 'registryUrl' | 'log' | 'tell'>,
  ) {}

  async plan(topics: readonly TopicDeclaration[]): Promise<void> {
    const { brokers, log, tell } = this.options;
    for (const fault of await checkTopics({ brokers, clientId: 'cdc-bridge-prepare', log }, topics))
      tell(fault);
  }

  /** @throws Error where a topic cannot become what is needed */
  async apply(topics: readonly TopicDeclaration[]): Promise<void> {
    if (topics.length === 0) return;
    const { brokers, registryUrl, log, tell } = this.options;
    const { created, altered, differences } = await applyTopics(brokers, topics, log);
    for (const name of created) {
      this.made.add(name);
      tell(`topic ${name} made`);
    }
    for (const change of altered) tell(`topic ${change}`);
    if (differences.length > 0)
      throw new Error(`topics differ from what is needed: ${differences.join('; ')}`);
    await allowAnySchema(registryUrl, subjectsOf(topics));
  }
}
