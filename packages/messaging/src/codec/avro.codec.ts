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

/** Where the codec finds writers' schemas: `SchemaRegistry`, or `localSchemas`. */
export interface WriterSchemas {
  /** @throws CodecError when there is none, or none could be had */
  find(id: number): avsc.Type | Promise<avsc.Type>;
}

/** The id of each contract's schema. */
export type SchemaIds = ReadonlyMap<AnyEventContract, number>;

type Resolver = ReturnType<avsc.Type['createResolver']>;

/** How one contract reads one writer's schema: building that takes a hundred times as long as using it. */
interface Reading {
  readonly contract: AnyEventContract;
  readonly resolver: Resolver | IncompatibleSchemaError;
}

/** One writer's schema and its readings. */
interface Writer {
  readonly type: avsc.Type;
  readonly name: string;
  readonly readings: BoundedCache<AnyEventContract, Reading>;
  /** The reading that was used last, and for whom: most often the next one too. */
  last: { readonly contracts: ContractsByName; readonly reading: Reading | undefined } | undefined;
}

const HEADER_BYTES = 5;
const MAGIC_BYTE = 0;
const WRITERS = 1_000;
/** Contracts of one record name: more than one only where two readers differ in version. */
const READERS = 16;
/** Larger events are encoded straight into their own memory, in a second pass. */
const SCRATCH_BYTES = 16 * 1_024;

const TOMBSTONE: DecodedValue = { kind: 'tombstone' };

/** Confluent's wire format: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/#wire-format */
export class AvroCodec implements Codec {
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
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
      const end = contract.type.encode(event, this.#scratch, HEADER_BYTES);
      // The scratch is written again by the next event: what is handed out is always a copy.
      const bytes = Buffer.allocUnsafe(end > 0 ? end : SCRATCH_BYTES - end);
      if (end > 0) this.#scratch.copy(bytes, 0, 0, end);
      else contract.type.encode(event, bytes, HEADER_BYTES);
      bytes[0] = MAGIC_BYTE;
      bytes.writeUInt32BE(id, 1);
      return bytes;
    } catch (cause) {
      const faults = explainInvalid(contract.type, event).join('; ') || (cause as Error).message;
      throw new EncodeError(`not a valid ${contract.name}: ${faults}`, { cause });
    }
  }

  decode(value: Buffer | null, contracts: ContractsByName): DecodedValue | Promise<DecodedValue> {
    if (value === null) return TOMBSTONE;
    if (value.length < HEADER_BYTES) {
      throw new MessageFormatError('MESSAGE_TOO_SHORT', `${value.length} bytes are too few for an event`);
    }
    if (value[0] !== MAGIC_BYTE) {
      throw new MessageFormatError('MESSAGE_MAGIC_BYTE', `the first byte is ${value[0]}, not ${MAGIC_BYTE}`);
    }
    const id = value.readUInt32BE(1);
    const writer = this.#writers.get(id);
    if (writer) return read(writer, id, value, contracts);
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
  if (writer.last?.contracts !== contracts) {
    writer.last = { contracts, reading: readingOf(writer, id, contracts.get(writer.name)) };
  }
  const { reading } = writer.last;
  if (!reading) return { kind: 'not-subscribed', name: writer.name };
  const { contract, resolver } = reading;
  if (resolver instanceof IncompatibleSchemaError) throw resolver;
  let decoded: { value: unknown; offset: number };
  try {
    decoded = contract.type.decode(value, HEADER_BYTES, resolver);
  } catch (cause) {
    throw bodyError(contract, id, (cause as Error).message, cause);
  }
  if (decoded.offset < 0) throw bodyError(contract, id, 'it ends too early');
  if (decoded.offset < value.length) {
    throw bodyError(contract, id, `${value.length - decoded.offset} bytes are left over`);
  }
  return { kind: 'event', contract, event: decoded.value };
}

function readingOf(writer: Writer, id: number, contract: AnyEventContract | undefined): Reading | undefined {
  if (!contract) return undefined;
  let reading = writer.readings.get(contract);
  if (!reading) {
    reading = { contract, resolver: resolverOf(writer, id, contract) };
    writer.readings.set(contract, reading);
  }
  return reading;
}

function resolverOf(
  writer: Writer,
  id: number,
  contract: AnyEventContract,
): Resolver | IncompatibleSchemaError {
  try {
    return contract.type.createResolver(writer.type);
  } catch (cause) {
    const message = `${contract.name} cannot be read from schema ${id}: ${(cause as Error).message}`;
    return new IncompatibleSchemaError(message, { cause });
  }
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
