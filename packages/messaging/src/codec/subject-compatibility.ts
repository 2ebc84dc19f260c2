import { COMPATIBILITY, type SchemaRegistry as ConfluentClient } from '@kafkajs/confluent-schema-registry';
import { RegistryClient } from './registry-client.js';

const TIMEOUT_MS = 15_000;

/** The client's own call for a subject's rule, which it declares as private (4.1.0). */
interface SubjectRules {
  readonly api: {
    readonly Subject: {
      updateConfig(_: { subject: string; body: { compatibility: string } }): Promise<unknown>;
    };
  };
}

/**
 * Lets the registry take any schema under these subjects, also before they have one: for topics whose schema a
 * database decides. Running it again changes nothing.
 * @param url the registry's Confluent-compatible API
 * @throws RegistryUnavailableError
 */
export async function allowAnySchema(url: string, subjects: readonly string[]): Promise<void> {
  const client = new RegistryClient(url, TIMEOUT_MS);
  const body = { compatibility: COMPATIBILITY.NONE };
  for (const subject of subjects) {
    await client.call((registry: ConfluentClient) =>
      (registry as unknown as SubjectRules).api.Subject.updateConfig({ subject, body }),
    );
  }
}
