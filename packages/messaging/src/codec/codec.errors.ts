export type CodecErrorCode =
  | 'EVENT_INVALID'
  | 'SCHEMA_NOT_REGISTERED'
  | 'MESSAGE_TOO_SHORT'
  | 'MESSAGE_MAGIC_BYTE'
  | 'MESSAGE_BODY'
  | 'SCHEMA_UNKNOWN'
  | 'SCHEMA_UNREADABLE'
  | 'SCHEMA_INCOMPATIBLE'
  | 'REGISTRY_UNAVAILABLE';

/** Branch on `code`, or on `canRetry`: whether the same call may succeed later without anyone's doing. */
export abstract class CodecError extends Error {
  abstract readonly code: CodecErrorCode;
  abstract readonly canRetry: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An event that its contract's schema does not take; the message names each field. */
export class EncodeError extends CodecError {
  readonly code = 'EVENT_INVALID';
  readonly canRetry = false;
}

/** The registry does not have a contract's schema: the deploy step has not run, or not with this version. */
export class SchemaNotRegisteredError extends CodecError {
  readonly code = 'SCHEMA_NOT_REGISTERED';
  readonly canRetry = false;
}

/** Bytes that are no event in Confluent's wire format, or whose body does not fit the writer's schema. */
export class MessageFormatError extends CodecError {
  readonly canRetry = false;

  constructor(
    readonly code: 'MESSAGE_TOO_SHORT' | 'MESSAGE_MAGIC_BYTE' | 'MESSAGE_BODY',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The registry answered that it has no schema of this id. */
export class UnknownSchemaError extends CodecError {
  readonly code = 'SCHEMA_UNKNOWN';
  readonly canRetry = false;
}

/** The registry's schema of this id is not Avro, or not valid. */
export class UnreadableSchemaError extends CodecError {
  readonly code = 'SCHEMA_UNREADABLE';
  readonly canRetry = false;
}

/** A writer's schema that cannot be read as the reader's, or one that a subject's rule refuses. */
export class IncompatibleSchemaError extends CodecError {
  readonly code = 'SCHEMA_INCOMPATIBLE';
  readonly canRetry = false;
}

/** The registry could not be reached, did not answer in time, or answered with a fault of its own. */
export class RegistryUnavailableError extends CodecError {
  readonly code = 'REGISTRY_UNAVAILABLE';
  readonly canRetry = true;
}
