const CONVERTER = 'io.apicurio.registry.utils.converter.AvroConverter';

/** Ids in Confluent's wire format, by content; new schemas registered under `<topic>-key` and `<topic>-value`. */
const REGISTRY = {
  'auto-register': 'true',
  'headers.enabled': 'false',
  'use-id': 'contentId',
  'id-handler': 'io.apicurio.registry.serde.Default4ByteIdHandler',
  'artifact-resolver-strategy': 'io.apicurio.registry.serde.strategy.TopicIdStrategy',
  'dereference-schema': 'true',
  // Without it, a registry that is away for a moment fails the task.
  'fault-tolerant-refresh': 'true',
  'check-period-ms': '30000',
};

/**
 * Connect's settings to write keys and values in Avro.
 * @param registryUrl Apicurio's own API as Connect reaches it, up to and with `/apis/registry/v3`
 */
export function avroConverters(registryUrl: string): Record<string, string> {
  return Object.fromEntries(
    ['key.converter', 'value.converter'].flatMap((converter) => [
      [converter, CONVERTER],
      [`${converter}.apicurio.registry.url`, registryUrl],
      ...Object.entries(REGISTRY).map(([name, value]) => [`${converter}.apicurio.registry.${name}`, value]),
    ]),
  );
}
