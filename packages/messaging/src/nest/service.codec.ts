import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyEventContract, EventContract } from '@millrace/schemas';
import {
  AvroCodec,
  type Codec,
  type ContractsByName,
  type DecodedValue,
  RegistryUnavailableError,
  SchemaRegistry,
} from '../codec/index.js';
import type { Log } from '../log.js';
import { backoffMs } from '../middleware/backoff.js';

const BACKOFF = { firstMs: 250, maxMs: 5_000 };

/**
 * A service's codec. It asks the registry for the ids of what the service publishes, until the registry has
 * answered; until then the service is not ready and encodes nothing. Later it needs the registry only for a schema
 * that it has not read yet.
 */
export class ServiceCodec implements Codec {
  readonly #registry: SchemaRegistry;
  readonly #ids = new Map<AnyEventContract, number>();
  readonly #codec: AvroCodec;
  readonly #stopped = new AbortController();
  #missing: string | undefined = 'the schema registry was not asked yet';
  #starting: Promise<void> | undefined;

  constructor(
    url: string,
    private readonly publishes: readonly AnyEventContract[],
    private readonly log: Log,
  ) {
    this.#registry = new SchemaRegistry({ url });
    this.#codec = new AvroCodec(this.#registry, this.#ids);
  }

  start(): void {
    this.#starting ??= this.#resolveIds();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#starting;
  }

  reasons(): string[] {
    return this.#missing === undefined ? [] : [this.#missing];
  }

  encode<T>(contract: EventContract<T>, event: NoInfer<T>): Buffer {
    if (this.#missing !== undefined) throw new RegistryUnavailableError(this.#missing);
    return this.#codec.encode(contract, event);
  }

  decode(value: Buffer | null, contracts: ContractsByName): DecodedValue | Promise<DecodedValue> {
    return this.#codec.decode(value, contracts);
  }

  async #resolveIds(): Promise<void> {
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        for (const [contract, id] of await this.#registry.resolveIds(this.publishes))
          this.#ids.set(contract, id);
        this.#missing = undefined;
        return;
      } catch (error) {
        this.#missing = (error as Error).message;
        this.log.error(`not ready: ${this.#missing}`, { attempt });
        const { signal } = this.#stopped;
        await sleep(backoffMs(BACKOFF, attempt), undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
