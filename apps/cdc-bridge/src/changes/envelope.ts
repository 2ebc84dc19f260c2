import { type DecodedRecord, notAChange } from './record.decoder.js';

type Op = 'c' | 'u' | 'd' | 'r' | 't';

/**
 * What Debezium says of every change, whichever the database
 * (debezium.io/documentation/reference/connectors/postgresql.html#postgresql-events).
 */
export interface Envelope {
  readonly op: Op;
  readonly before: unknown;
  readonly after: unknown;
  /** When the source committed it; for a row of a snapshot, when that began or the row was read. */
  readonly at: Date;
  /** `false` for a streamed change, `incremental`, or a word for the row's place in a snapshot. */
  readonly snapshot: string;
  readonly source: Readonly<Record<string, unknown>>;
}

const OPS = new Set<unknown>(['c', 'u', 'd', 'r', 't']);

/**
 * The envelope of a record's value; null for what is no change of a row (`m`, a logical message).
 * @throws CodecError for a value that is no envelope
 */
export function envelopeOf({ fields, schemaId }: DecodedRecord): Envelope | null {
  const { op, before, after, source } = fields;
  if (op === 'm') return null;
  if (!OPS.has(op) || !isRecord(source) || typeof source.ts_ms !== 'bigint') {
    throw notAChange(`schema ${schemaId}: no envelope of Debezium`);
  }
  const snapshot = typeof source.snapshot === 'string' ? source.snapshot : 'false';
  return { op: op as Op, before, after, at: new Date(Number(source.ts_ms)), snapshot, source };
}

/** The mark of a row that was read, and not changed. */
export function readMark({ op }: Envelope): { readonly isRead?: true } {
  return op === 'r' ? { isRead: true } : {};
}

/** Whether it is a row of a whole snapshot, and not one that the others do without. */
function isOfSnapshot({ op, snapshot }: Envelope): boolean {
  return op === 'r' && snapshot !== 'false' && snapshot !== 'incremental';
}

/**
 * Names the whole snapshot that a row came with: in Postgres by where the log stood when it began, the same for all its
 * rows of whatever table; in MongoDB by when the row was read. Null for what came with none.
 */
export function snapshotName(envelope: Envelope): string | null {
  const { lsn, ts_us } = envelope.source;
  return isOfSnapshot(envelope) ? String(lsn ?? ts_us) : null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
