import type { AnyEventContract, EventContract } from '@millrace/schemas';
import { explainInvalid } from '@millrace/schemas';
import type avsc from 'avsc';
import { BoundedCache } from './bounded-cache.js';
import {
  EncodeError,
  IncompatibleSchemaError,
  MessageFormatError,
  SchemaNotRegisteredError,
} from './codec.errors.js';
import type { Codec, ContractsByName, DecodedValue } from './codec.js';
import { Framing, HEADER_BYTES, MAGIC_BYTE } from './framing.js';

/** Where the codec finds writers' schemas: `SchemaRegistry`, or `localSchemas`. */
export interface WriterSchemas {
  /** @throws CodecError when there is none, or none could be had */
  find(id: number): avsc.Type | Promise<avsc.Type>;
}

/** The id of each contract's schema. */
export type SchemaIds = ReadonlyMap<AnyEventContract, number>;

type Resolver = ReturnType<avsc.Type['createResolver']>;

/** How one contract reads one writer's schema: building that takes a hundred times as long as using it. */
type Reading =
  | { readonly contract: AnyEventContract; readonly resolver: Resolver; readonly error: undefined }
  | {
      readonly contract: AnyEventContract;
      readonly resolver: undefined;
      readonly error: IncompatibleSchemaError;
    };

/** One writer's schema and its readings. */
interface Writer {
  readonly type: avsc.Type;
  readonly name: string;
  readonly readings: BoundedCache<AnyEventContract, Reading>;
  /** The reading that was used last, and for whom: most often the next one too. */
  last: { readonly contracts: ContractsByName; readonly reading: Reading | undefined } | undefined;
}

const WRITERS = 1_000;
/** Contracts of one record name: more than one only where two readers differ in version. */
const READERS = 16;

const TOMBSTONE: DecodedValue = { kind: 'tombstone' };

/** Confluent's wire format: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/#wire-format */
export class AvroCodec implements Codec {
  readonly #framing = new Framing();
  readonly #writers = new BoundedCache<number, Writer>(WRITERS);

  /** @param ids the contracts that will be encoded */
  constructor(
    private readonly schemas: WriterSchemas,
    private readonly ids: SchemaIds = new Map(),
  ) {}

  encode<T>(contract: EventContract<T>, event: NoInfer<T>): Buffer {
    const id = this.ids.get(contract);
    if (id === undefined) {
      throw new SchemaNotRegisteredError(
        `${contract.name} is not among the contracts that this codec encodes`,
      );
    }
    try {
      return this.#framing.encode(contract.type, id, event);
    } catch (cause) {
      const faults = explainInvalid(contract.type, event).join('; ') || (cause as Error).message;
      throw new EncodeError(`not a valid ${contract.name}: ${faults}`, { cause });
    }
  }

  decode(value: Buffer | null, contracts: ContractsByName): DecodedValue | Promise<DecodedValue> {
    if (value === null) return TOMBSTONE;
    if (value.length < HEADER_BYTES || value[0] !== MAGIC_BYTE) throw headerError(value);
    const id = value.readUInt32BE(1);
    const writer = this.#writers.get(id);
    return writer ? read(writer, id, value, contracts) : this.#lookUp(id, value, contracts);
  }

  #lookUp(id: number, value: Buffer, contracts: ContractsByName): DecodedValue | Promise<DecodedValue> {
    const found = this.schemas.find(id);
    return found instanceof Promise
      ? found.then((type) => read(this.#remember(id, type), id, value, contracts))
      : read(this.#remember(id, found), id, value, contracts);
  }

  #remember(id: number, type: avsc.Type): Writer {
    const name = type.name ?? type.typeName;
    const writer: Writer = { type, name, readings: new BoundedCache(READERS), last: undefined };
    this.#writers.set(id, writer);
    return writer;
  }
}

function read(writer: Writer, id: number, value: Buffer, contracts: ContractsByName): DecodedValue {
  const reading =
    writer.last?.contracts === contracts ? writer.last.reading : readingOf(writer, id, contracts);
  if (!reading) return { kind: 'not-subscribed', name: writer.name };
  if (reading.error) throw reading.error;
  const { contract, resolver } = reading;
  let decoded: { value: unknown; offset: number };
  try {
    decoded = contract.type.decode(value, HEADER_BYTES, resolver);
  } catch (cause) {
    throw bodyError(contract, id, (cause as Error).message, cause);
  }
  if (decoded.offset !== value.length) throw lengthError(contract, id, value.length, decoded.offset);
  return { kind: 'event', contract, event: decoded.value };
}

function readingOf(writer: Writer, id: number, contracts: ContractsByName): Reading | undefined {
  const contract = contracts.get(writer.name);
  let reading = contract && writer.readings.get(contract);
  if (contract && !reading) {
    reading = buildReading(writer, id, contract);
    writer.readings.set(contract, reading);
  }
  writer.last = { contracts, reading };
  return reading;
}

function buildReading(writer: Writer, id: number, contract: AnyEventContract): Reading {
  try {
    return { contract, resolver: contract.type.createResolver(writer.type), error: undefined };
  } catch (cause) {
    const message = `${contract.name} cannot be read from schema ${id}: ${(cause as Error).message}`;
    return { contract, resolver: undefined, error: new IncompatibleSchemaError(message, { cause }) };
  }
}

function headerError(value: Buffer): MessageFormatError {
  return value.length < HEADER_BYTES
    ? new MessageFormatError('MESSAGE_TOO_SHORT', `${value.length} bytes are too few for an event`)
    : new MessageFormatError('MESSAGE_MAGIC_BYTE', `the first byte is ${value[0]}, not ${MAGIC_BYTE}`);
}

/** @param end where the body ended; avsc says -1 when that is beyond the record */
function lengthError(
  contract: AnyEventContract,
  id: number,
  length: number,
  end: number,
): MessageFormatError {
  return bodyError(contract, id, end < 0 ? 'it ends too early' : `${length - end} bytes are left over`);
}

function bodyError(
  contract: AnyEventContract,
  id: number,
  fault: string,
  cause?: unknown,
): MessageFormatError {
  return new MessageFormatError('MESSAGE_BODY', `not a ${contract.name} of schema ${id}: ${fault}`, {
    cause,
  });
}
