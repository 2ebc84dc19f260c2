import { SchemaType } from '@kafkajs/confluent-schema-registry';
import type { AnyEventContract } from '@millrace/schemas';
import avsc from 'avsc';
import type { SchemaIds, WriterSchemas } from './avro.codec.js';
import { BoundedCache } from './bounded-cache.js';
import {
  type CodecError,
  SchemaNotRegisteredError,
  UnknownSchemaError,
  UnreadableSchemaError,
} from './codec.errors.js';
import { RegistryClient, RegistryRefusal } from './registry-client.js';

export interface SchemaRegistryOptions {
  /** The registry's Confluent-compatible API: for Apicurio, up to and with `/apis/ccompat/v7`. */
  readonly url: string;
  /** Longest wait for one answer. Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** Schemas kept, the oldest going first. Default 1,000. */
  readonly schemas?: number;
  /** How long "no such id" is believed before it is asked again. Default 30,000 ms. */
  readonly unknownForMs?: number;
  /** Milliseconds, for the lifetimes. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** Ids that were looked up in vain: hostile records can name many. */
const UNKNOWN_IDS = 10_000;

/** The registry as a service uses it at run time: it looks up and never registers. */
export class SchemaRegistry implements WriterSchemas {
  readonly #client: RegistryClient;
  readonly #known: BoundedCache<number, avsc.Type>;
  readonly #unknown = new BoundedCache<number, { readonly error: CodecError; readonly until: number }>(
    UNKNOWN_IDS,
  );
  readonly #underWay = new Map<number, Promise<avsc.Type>>();
  readonly #unknownForMs: number;
  readonly #now: () => number;

  constructor(options: SchemaRegistryOptions) {
    this.#client = new RegistryClient(options.url, options.timeoutMs ?? 5_000);
    this.#known = new BoundedCache(options.schemas ?? 1_000);
    this.#unknownForMs = options.unknownForMs ?? 30_000;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * The schema of an id: at once where it was read before. However many ask for an id at the same time, and however
   * often for one that the registry does not have, it is looked up once.
   *
   * @throws UnknownSchemaError, UnreadableSchemaError, RegistryUnavailableError
   */
  find(id: number): avsc.Type | Promise<avsc.Type> {
    const known = this.#known.get(id);
    if (known) return known;
    const unknown = this.#unknown.get(id);
    if (unknown && this.#now() < unknown.until) throw unknown.error;
    const underWay = this.#underWay.get(id);
    if (underWay) return underWay;
    const lookup = this.#lookUp(id).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, lookup);
    return lookup;
  }

  /**
   * The ids under which the contracts' schemas stand in the registry.
   *
   * @throws SchemaNotRegisteredError naming the subject, when a schema is not there: `registerSchemas` first
   * @throws RegistryUnavailableError
   */
  async resolveIds(contracts: readonly AnyEventContract[]): Promise<SchemaIds> {
    const ids = new Map<AnyEventContract, number>();
    for (const contract of contracts) {
      ids.set(contract, await this.#idOf(contract));
    }
    return ids;
  }

  async #idOf({ subject, schema }: AnyEventContract): Promise<number> {
    try {
      return await this.#client.call((client) =>
        client.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema: JSON.stringify(schema) }),
      );
    } catch (error) {
      if (!(error instanceof RegistryRefusal && error.isNotFound)) throw error;
      throw new SchemaNotRegisteredError(
        `the registry at ${this.#client.address} does not have this version of the schema under subject ` +
          `"${subject}": register the schemas before the service starts (${error.message})`,
      );
    }
  }

  async #lookUp(id: number): Promise<avsc.Type> {
    let schema: unknown;
    try {
      schema = await this.#client.call((client) => client.getSchema(id));
    } catch (error) {
      throw this.#failure(id, error);
    }
    if (!avsc.Type.isType(schema)) throw this.#failure(id, new Error('it is not an Avro schema'));
    const type = schema as avsc.Type;
    this.#known.set(id, type);
    this.#unknown.delete(id);
    return type;
  }

  /** What the registry said of the id holds for a while; that it could not be asked is forgotten at once. */
  #failure(id: number, cause: unknown): unknown {
    if ((cause as Partial<CodecError>).canRetry) return cause;
    const error =
      cause instanceof RegistryRefusal
        ? new UnknownSchemaError(`the registry at ${this.#client.address} has no schema with id ${id}`, {
            cause,
          })
        : new UnreadableSchemaError(`schema ${id} cannot be read: ${(cause as Error).message}`, { cause });
    this.#unknown.set(id, { error, until: this.#now() + this.#unknownForMs });
    return error;
  }
}
