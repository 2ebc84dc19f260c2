import {
  COMPATIBILITY,
  type SchemaRegistry as ConfluentClient,
  SchemaType,
} from '@kafkajs/confluent-schema-registry';
import type { AnyEventContract } from '@millrace/schemas';
import avsc from 'avsc';
import { IncompatibleSchemaError } from './codec.errors.js';
import { RegistryClient, RegistryRefusal } from './registry-client.js';

const TIMEOUT_MS = 15_000;
const ATTEMPTS = 3;

/** Rules by which a new schema reads the old events. One of these, set by hand, is left as it is. */
const BACKWARD_RULES: readonly string[] = [
  COMPATIBILITY.BACKWARD,
  COMPATIBILITY.BACKWARD_TRANSITIVE,
  COMPATIBILITY.FULL,
  COMPATIBILITY.FULL_TRANSITIVE,
];

/** The client's own calls for a subject's rule, which it declares as private (4.1.0). */
interface SubjectRules {
  readonly api: {
    readonly Subject: {
      config(_: { subject: string }): Promise<{ data(): { compatibilityLevel: string } }>;
      updateConfig(_: { subject: string; body: { compatibility: string } }): Promise<unknown>;
    };
  };
}

/**
 * The deploy step: puts every contract's schema under its subject, where services look it up, and sets the subject's
 * compatibility to BACKWARD. Running it again changes nothing.
 *
 * @param url the registry's Confluent-compatible API
 * @throws IncompatibleSchemaError naming the subject, when the new schema could not read the subject's events
 * @throws RegistryUnavailableError
 */
export async function registerSchemas(url: string, contracts: readonly AnyEventContract[]): Promise<void> {
  const client = new RegistryClient(url, TIMEOUT_MS);
  for (const contract of contracts) await register(client, contract);
}

/**
 * Another deploy may do the same at this moment: Apicurio tells whoever comes second that the rule or the version
 * exists, by the status that also says incompatible. What is refused again is incompatible.
 */
async function register(client: RegistryClient, contract: AnyEventContract): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToRegister(client, contract);
    } catch (error) {
      if (!(error instanceof RegistryRefusal) || !error.isConflict) throw error;
      if (attempt === ATTEMPTS) throw incompatible(contract, error);
    }
  }
}

async function tryToRegister(client: RegistryClient, contract: AnyEventContract): Promise<void> {
  const compatibility = await requireBackward(client, contract.subject);
  await checkReadsLatest(client, contract);
  await client.call((registry) =>
    registry.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(contract.schema) },
      { subject: contract.subject, compatibility, updateConfig: false },
    ),
  );
}

/**
 * Before the schema, not after it: the registry's default is NONE, and a subject that exists without a rule of its
 * own reports that default as if it were its own, which the client's `register` then refuses.
 */
async function requireBackward(client: RegistryClient, subject: string): Promise<COMPATIBILITY> {
  const rules = (registry: ConfluentClient) => (registry as unknown as SubjectRules).api.Subject;
  const current = await orNone(
    client.call(async (registry) => (await rules(registry).config({ subject })).data().compatibilityLevel),
  );
  if (current !== undefined && BACKWARD_RULES.includes(current)) return current as COMPATIBILITY;
  const compatibility = COMPATIBILITY.BACKWARD;
  await client.call((registry) => rules(registry).updateConfig({ subject, body: { compatibility } }));
  return compatibility;
}

/** Apicurio's rule looks past logical types: it would let a decimal's scale change, and with it every amount. */
async function checkReadsLatest(client: RegistryClient, contract: AnyEventContract): Promise<void> {
  const id = await orNone(client.call((registry) => registry.getLatestSchemaId(contract.subject)));
  if (id === undefined) return;
  const latest: unknown = await client.call((registry) => registry.getSchema(id));
  if (!avsc.Type.isType(latest)) throw incompatible(contract, new Error('the latest version is not Avro'));
  try {
    contract.type.createResolver(latest as avsc.Type);
  } catch (error) {
    throw incompatible(contract, error);
  }
}

async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RegistryRefusal && error.isNotFound) return undefined;
    throw error;
  }
}

function incompatible(contract: AnyEventContract, cause: unknown): IncompatibleSchemaError {
  return new IncompatibleSchemaError(
    `subject "${contract.subject}": the new schema cannot read the events that are there ` +
      `(${(cause as Error).message}). Give a new field a default, and keep the types of the others`,
    { cause },
  );
}
