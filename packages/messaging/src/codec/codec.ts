import type { AnyEventContract, EventContract } from '@millrace/schemas';

/**
 * Turns events into records' values and back, in Confluent's wire format: a zero byte, the schema's id in four
 * bytes (big-endian), Avro.
 */
export interface Codec {
  /**
   * The bytes stay as they are, whatever is encoded later.
   *
   * @throws EncodeError naming each field that the schema does not take
   * @throws SchemaNotRegisteredError when the contract was not among those that the codec was made for
   */
  encode<T>(contract: EventContract<T>, event: NoInfer<T>): Buffer;

  /**
   * At once where the writer's schema is known, else after one look into the registry.
   *
   * @param value a record's value; null is a tombstone
   * @param contracts what the reader subscribes to, by full record name (see `contractsByName`)
   * @throws MessageFormatError when the bytes are no event: the same bytes fail again
   * @throws UnknownSchemaError when the registry does not have the writer's schema
   * @throws IncompatibleSchemaError when the writer's schema cannot be read as the contract's
   * @throws RegistryUnavailableError when the registry did not answer: `canRetry` is true
   */
  decode(value: Buffer | null, contracts: ContractsByName): DecodedValue | Promise<DecodedValue>;
}

/** What a value turned out to be. */
export type DecodedValue =
  | { readonly kind: 'event'; readonly contract: AnyEventContract; readonly event: unknown }
  | { readonly kind: 'tombstone' }
  /** Written with a schema whose record is none of the reader's contracts; its body was not looked at. */
  | { readonly kind: 'not-subscribed'; readonly name: string };

export type ContractsByName = ReadonlyMap<string, AnyEventContract>;

/** @throws Error when two contracts have the same record name: there would be no telling them apart. */
export function contractsByName(contracts: readonly AnyEventContract[]): ContractsByName {
  const byName = new Map<string, AnyEventContract>();
  for (const contract of contracts) {
    if (byName.has(contract.name)) throw new Error(`two contracts for ${contract.name}`);
    byName.set(contract.name, contract);
  }
  return byName;
}
