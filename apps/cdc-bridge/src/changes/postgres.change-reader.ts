import type { WriterSchemas } from '@millrace/messaging';
import type { RowTexts, TableMapping } from '../mapping/table.mapping.js';
import type { Change } from '../sinks/compaction.js';
import type { PostgresType } from '../values/postgres-type.js';
import { ValueFault } from '../values/value.fault.js';
import type { ChangeReader, ChangeRecord, Reading } from './change-reader.js';
import { DOUBTFUL, type ToldText, toldText, UNCHANGED } from './debezium-values.js';
import { type Envelope, envelopeOf, isRecord, readMark, snapshotName } from './envelope.js';
import { decodeRecord } from './record.decoder.js';
import { rowFieldsOf, type WrittenField } from './row-fields.js';
import type { TableCatalogue } from './table-catalogue.js';

/** Schemas whose fields are remembered; a table has a new one with each change of its columns. */
const MAX_SCHEMAS = 100;
/** The header of a deletion whose row goes on under another key. */
const MOVED = '__debezium.newkey';

interface Image {
  readonly texts: RowTexts;
  /** Whether all that is not known did not change. */
  readonly onlyUnchanged: boolean;
}

/** Reads the changes of a Postgres table. */
export class PostgresChangeReader implements ChangeReader {
  readonly #schemas = new Map<number, ReadonlyMap<string, WrittenField>>();

  constructor(
    private readonly schemas: WriterSchemas,
    private readonly catalogue: TableCatalogue,
  ) {}

  async read(record: ChangeRecord): Promise<Reading> {
    if (record.value === null) return { kind: 'nothing' };
    const decoded = await decodeRecord(record.value, this.schemas);
    const envelope = envelopeOf(decoded);
    if (!envelope) return { kind: 'nothing' };
    const { op, at } = envelope;
    if (op === 't') return { kind: 'truncate', at };
    let fields = this.#schemas.get(decoded.schemaId);
    if (!fields) {
      // The table has changed, or this is the first of its records: the catalogue knows what its columns are now.
      fields = rowFieldsOf(decoded.schema);
      await this.catalogue.readAgain();
      this.#remember(decoded.schemaId, fields);
    }
    const { mapping } = this.catalogue;
    const image = (row: unknown) => imageOf(mapping, fields, row);
    const change = mapping.isKeyless
      ? keylessChange(mapping, envelope, image, `${record.partition}:${record.offset}`)
      : keyedChange(mapping, envelope, image, record.headers?.[MOVED] !== undefined);
    if (!change) return { kind: 'nothing' };
    return { kind: 'change', change, at, snapshot: snapshotName(envelope), ...readMark(envelope) };
  }

  #remember(id: number, fields: ReadonlyMap<string, WrittenField>): void {
    this.#schemas.set(id, fields);
    if (this.#schemas.size <= MAX_SCHEMAS) return;
    for (const oldest of this.#schemas.keys()) {
      this.#schemas.delete(oldest);
      return;
    }
  }
}

type ImageOf = (row: unknown) => Image;

function keyedChange(
  mapping: TableMapping,
  { op, before, after, at }: Envelope,
  image: ImageOf,
  moves: boolean,
): Change | null {
  if (op === 'd') {
    const { texts } = image(before);
    return moves ? { kind: 'delete', key: mapping.keyOf(texts) } : mapping.gone(texts, at);
  }
  const { texts, onlyUnchanged } = image(after);
  const flows = mapping.matches(texts);
  if (flows === false) return mapping.gone(texts, at);
  if (flows === undefined) return mapping.unknown(texts);
  return mapping.put(texts, op !== 'u' || !onlyUnchanged);
}

/** A row without a key is told by all its columns, so an update is a row that goes and one that comes. */
function keylessChange(
  mapping: TableMapping,
  { op, before, after }: Envelope,
  image: ImageOf,
  at: string,
): Change | null {
  if (before === null && (op === 'u' || op === 'd')) {
    throw new ValueFault(
      'the row is without a key, and the change does not tell what it was: REPLICA IDENTITY FULL does',
    );
  }
  const left = before === null ? undefined : image(before).texts;
  const came = after === null ? undefined : image(after).texts;
  const removal = left && op !== 'c' && op !== 'r' && flows(mapping, left) ? mapping.removal(left) : null;
  const put = came && flows(mapping, came) ? mapping.keylessPut(came, at) : null;
  if (!put) return mapping.deletions.ignored ? null : removal;
  return removal ? { ...put, replaces: removal } : put;
}

/** @throws ValueFault where that depends on a column that is not known */
function flows(mapping: TableMapping, texts: RowTexts): boolean {
  const known = mapping.matches(texts);
  if (known !== undefined) return known;
  throw new ValueFault(
    'the change does not tell a column of where, and a table without a key cannot be asked for one row',
  );
}

function imageOf(mapping: TableMapping, fields: ReadonlyMap<string, WrittenField>, row: unknown): Image {
  const values = isRecord(row) ? row : {};
  const texts = new Map<string, string | null>();
  let onlyUnchanged = true;
  for (const { name, type } of mapping.columns) {
    const field = fields.get(name);
    // A column that the record lacks came later, or is of a type that Debezium leaves out.
    const text = field ? told(type, field, values[field.name]) : DOUBTFUL;
    if (typeof text !== 'symbol') texts.set(name, text);
    else if (text !== UNCHANGED) onlyUnchanged = false;
  }
  return { texts, onlyUnchanged };
}

function told(type: PostgresType, field: WrittenField, value: unknown): ToldText {
  try {
    return toldText(type, field.type, value);
  } catch {
    return DOUBTFUL;
  }
}
