import { ORDER_EVENTS, topics } from '@millrace/schemas';

/**
 * How long an event id must be remembered: as long as its topic keeps the record, in milliseconds.
 *
 * @throws Error when the topic keeps its records for ever, or is not declared: the inbox could never forget
 */
export function inboxRetentionMs(topicName: string = ORDER_EVENTS): number {
  const ms = Number(topics.find(({ name }) => name === topicName)?.config['retention.ms']);
  if (!(ms > 0)) {
    throw new Error(
      `topic ${topicName} has no retention.ms: declare one, so that inbox documents can be removed`,
    );
  }
  return ms;
}
