import { CodecError, type ConsumedRecord, type WriterSchemas } from '@millrace/messaging';
import { readDocumentId } from '../changes/document-id.js';
import { decodeRecord, notAChange } from '../changes/record.decoder.js';
import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import type { KeyMapping } from './key.mapping.js';

/** What a change record says to a pair: which key may differ, and no more. */
export type Hint =
  | { readonly kind: 'key'; readonly key: string; readonly txId: bigint | null }
  /** TRUNCATE: every key may. */
  | { readonly kind: 'everything'; readonly txId: bigint | null }
  /** A document whose `_id` stands for no key of the table. */
  | { readonly kind: 'unmapped'; readonly id: BsonValue; readonly fault: ValueFault }
  | { readonly kind: 'nothing' };

const NOTHING: Hint = { kind: 'nothing' };

interface Envelope {
  readonly op?: unknown;
  readonly source?: { readonly txId?: unknown } | null;
}

/** Reads the change topics of a pair's two sides. */
export class HintReader {
  constructor(
    private readonly schemas: WriterSchemas,
    private readonly key: KeyMapping,
  ) {}

  /** @throws CodecError; with `canRetry` while the registry is away */
  async row({ key, value }: ConsumedRecord): Promise<Hint> {
    if (value === null) return NOTHING; // the tombstone that follows a deletion
    const { op, source } = (await decodeRecord(value, this.schemas)).fields as Envelope;
    const txId = typeof source?.txId === 'bigint' ? source.txId : null;
    if (op === 't') return { kind: 'everything', txId };
    if (key === null) return NOTHING;
    return { kind: 'key', key: this.#rowKey((await decodeRecord(key, this.schemas)).fields), txId };
  }

  /** @throws CodecError; with `canRetry` while the registry is away */
  async document({ key, value }: ConsumedRecord): Promise<Hint> {
    if (value === null || key === null) return NOTHING;
    let id: BsonValue = null;
    try {
      id = await readDocumentId(key, this.schemas);
      return { kind: 'key', key: this.key.textOf(id), txId: null };
    } catch (error) {
      if (error instanceof ValueFault) return { kind: 'unmapped', id, fault: error };
      if (error instanceof SyntaxError) throw notAChange(`a document: ${error.message}`, error);
      throw error;
    }
  }

  /** Debezium writes a column's name by its strategy `avro_unicode`. */
  #rowKey(fields: Readonly<Record<string, unknown>>): string {
    const named = new Map(Object.entries(fields).map(([name, value]) => [columnName(name), value]));
    const texts = this.key.columns.map(({ name }) => JSON.stringify(String(named.get(name))));
    return `[${texts.join(', ')}]`;
  }
}

/** Undoes the escapes of Debezium's UnicodeReplacementFunction: `_u005f` is an underscore. */
function columnName(field: string): string {
  return field.replace(/_u([0-9a-fA-F]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Whether the record itself is at fault, so that reading it again is of no use. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof CodecError && !error.canRetry;
}
