import { LogDecoder, type LogReader } from '@millrace/testing';

/** A Debezium change, as far as it is read here; of MongoDB the document comes as JSON in a string. */
interface ChangeEnvelope {
  readonly after?: Readonly<Record<string, unknown>> | string | null;
}

/** Finds changes in their topics. */
export class ChangeLog {
  readonly #decoder: LogDecoder;

  constructor(
    private readonly log: LogReader,
    registryUrl: string,
  ) {
    this.#decoder = new LogDecoder(registryUrl);
  }

  /** Where the last change of a topic stands whose row after it is wanted. */
  async last(topic: string, wanted: (after: Readonly<Record<string, unknown>>) => boolean): Promise<string> {
    const records = (await this.log.read()).filter((record) => record.topic === topic);
    for (const { partition, offset, value } of records.toReversed()) {
      const after = value === null ? null : await this.#after(value);
      if (after && wanted(after)) return `${topic}, partition ${partition}, offset ${offset}`;
    }
    throw new Error(`no such change in ${topic}, and the row is on the other side`);
  }

  async #after(value: Buffer): Promise<Readonly<Record<string, unknown>> | null> {
    const { after = null } = (await this.#decoder.decode(value)).event as ChangeEnvelope;
    return typeof after === 'string' ? (JSON.parse(after) as Record<string, unknown>) : after;
  }
}
