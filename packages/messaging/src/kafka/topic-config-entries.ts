import kafkajs, { type Admin, type ConfigEntries } from 'kafkajs';

/** From the default export: Node finds no name for it in KafkaJS, which is not an ES module. */
export const { TOPIC } = kafkajs.ConfigResourceTypes;

/** Every setting of topics that are there, by the topic's name. */
export async function topicConfigEntries(
  admin: Admin,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly ConfigEntries[]>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: TOPIC, name })),
  });
  return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]));
}
