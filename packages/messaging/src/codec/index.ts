export { AvroCodec, type SchemaIds, type WriterSchemas } from './avro.codec.js';
export * from './codec.errors.js';
export { type Codec, type ContractsByName, contractsByName, type DecodedValue } from './codec.js';
export { localSchemas } from './local-schemas.js';
export { registerSchemas } from './register-schemas.js';
export { SchemaRegistry, type SchemaRegistryOptions } from './schema-registry.js';
export { allowAnySchema } from './subject-compatibility.js';
