import type { WriterSchemas } from '@millrace/messaging';
import type { CollectionMapping } from '../mapping/collection.mapping.js';
import type { Change } from '../sinks/compaction.js';
import type { BsonDocument, BsonValue } from '../values/bson-value.js';
import { parseLegacyExtendedJson } from '../values/legacy-extended-json.js';
import { unlessFault, ValueFault } from '../values/value.fault.js';
import type { ChangeReader, ChangeRecord, Reading } from './change-reader.js';
import { readDocumentId } from './document-id.js';
import { type Envelope, envelopeOf, readMark } from './envelope.js';
import { decodeRecord, notAChange } from './record.decoder.js';

/** Reads the changes of a MongoDB collection. */
export class MongoChangeReader implements ChangeReader {
  constructor(
    private readonly schemas: WriterSchemas,
    private readonly mapping: CollectionMapping,
  ) {}

  async read({ key, value }: ChangeRecord): Promise<Reading> {
    if (value === null) return { kind: 'nothing' };
    const envelope = envelopeOf(await decodeRecord(value, this.schemas));
    if (!envelope) return { kind: 'nothing' };
    const { op, at } = envelope;
    if (op === 't') return { kind: 'truncate', at };
    const change = await this.#change(envelope, key);
    if (!change) return { kind: 'nothing' };
    return { kind: 'change', change, at, snapshot: null, ...readMark(envelope) };
  }

  async #change(envelope: Envelope, key: Buffer | null): Promise<Change | null> {
    const after = documentOf(envelope.after);
    const id = after?._id ?? idIn(envelope.before) ?? (await this.#idOf(key));
    if (envelope.op === 'd') return this.mapping.gone(id, envelope.at);
    // Without a post-image: the document is gone by now, or the collection keeps none.
    if (!after) return this.mapping.unknown(id);
    return this.mapping.matches(after) ? this.mapping.put(after) : this.mapping.gone(id, envelope.at);
  }

  #idOf(key: Buffer | null): Promise<BsonValue> {
    if (key === null) throw notAChange('a document without a key');
    return readDocumentId(key, this.schemas);
  }
}

/** Of an image that holds a value which nothing can hold, the record's key has it. */
function idIn(image: unknown): BsonValue | undefined {
  return unlessFault(() => documentOf(image)?._id);
}

function documentOf(image: unknown): BsonDocument | null {
  if (typeof image !== 'string') return null;
  try {
    return parseLegacyExtendedJson(image);
  } catch (error) {
    if (error instanceof ValueFault) throw error;
    throw notAChange(`a document: ${(error as Error).message}`, error);
  }
}
