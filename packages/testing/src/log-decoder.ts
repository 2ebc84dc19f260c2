import { parseSchema } from '@millrace/schemas';

type Type = ReturnType<typeof parseSchema>;

/** A record's value, read with the schema that it was written with. */
export interface DecodedValue {
  readonly schemaId: number;
  /** Full name of the record's schema. */
  readonly name: string;
  readonly event: unknown;
}

/**
 * Decodes Confluent-framed Avro for checkers: with the writer's own schema, asked of the registry once per id, and
 * with none of the code that the services decode with.
 */
export class LogDecoder {
  readonly #types = new Map<number, Promise<Type>>();

  /** @param registryUrl base of the Confluent-compatible API */
  constructor(private readonly registryUrl: string) {}

  /** @throws Error when the value is not framed Avro, or the registry does not know its schema. */
  async decode(value: Buffer): Promise<DecodedValue> {
    if (value.length < 5 || value[0] !== 0)
      throw new Error(`Not framed Avro: ${value.subarray(0, 5).toString('hex')}…`);
    const schemaId = value.readUInt32BE(1);
    const type = await this.#type(schemaId);
    return { schemaId, name: type.name ?? '', event: type.fromBuffer(value.subarray(5)) };
  }

  #type(id: number): Promise<Type> {
    const known = this.#types.get(id) ?? this.#fetch(id);
    this.#types.set(id, known);
    return known;
  }

  async #fetch(id: number): Promise<Type> {
    const response = await fetch(`${this.registryUrl}/schemas/ids/${id}`, {
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`Schema ${id}: the registry answers ${response.status}`);
    const { schema } = (await response.json()) as { schema: string };
    return parseSchema(schema);
  }
}
