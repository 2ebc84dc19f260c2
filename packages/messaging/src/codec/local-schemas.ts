import type { AnyEventContract } from '@millrace/schemas';
import type avsc from 'avsc';
import type { SchemaIds, WriterSchemas } from './avro.codec.js';
import { UnknownSchemaError } from './codec.errors.js';

/** Schemas without a registry, ids counting from 1: for the in-memory bus and for tests. */
export function localSchemas(contracts: readonly AnyEventContract[]): {
  readonly schemas: WriterSchemas;
  readonly ids: SchemaIds;
} {
  const ids = new Map(contracts.map((contract, index) => [contract, index + 1]));
  const find = (id: number): avsc.Type => {
    const contract = contracts[id - 1];
    if (!contract) throw new UnknownSchemaError(`no local schema with id ${id}`);
    return contract.type;
  };
  return { schemas: { find }, ids };
}
