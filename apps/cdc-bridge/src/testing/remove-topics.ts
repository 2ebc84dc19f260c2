import { deleteTopics } from '@millrace/testing';
import { connectorName, heartbeatTopic } from '../names/bridge-names.js';

/** Removes what the connectors of these databases wrote, once they are gone; the tests after this one are the faster. */
export async function removeTopics(
  bootstrapServers: readonly string[],
  databases: readonly string[],
): Promise<void> {
  await deleteTopics(bootstrapServers, (topic) =>
    databases.some((name) => topic === heartbeatTopic(name) || topic.startsWith(`${connectorName(name)}.`)),
  );
}
