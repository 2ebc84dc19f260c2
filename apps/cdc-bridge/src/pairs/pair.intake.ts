import { setTimeout as delay } from 'node:timers/promises';
import type {
  ConsumedRecord,
  DeadLetters,
  Log,
  LostPosition,
  RecordBatch,
  StoredPosition,
} from '@millrace/messaging';
import type { Pool } from 'pg';
import { groupOf } from '../names/bridge-names.js';
import { type Hint, type HintReader, isUnreadable } from './hint-reader.js';
import type { PairPositions } from './pair.positions.js';
import type { PairWorker } from './pair.worker.js';
import type { UnmappedDocuments } from './unmapped.documents.js';
import { isBefore, isVisible, parseSnapshot } from './visibility.js';

/** How often a transaction that is not visible yet is looked for. */
const VISIBLE_POLL_MS = 20;
/** After so many looks it is asked whether this server has ever handed out such an id. */
const LOOKS_BEFORE_DOUBT = 50;

/** Why a pair does not do its work, or had to look at every key. */
export interface PairError {
  readonly code: string;
  readonly message: string;
}

export interface PairIntakeParts {
  readonly pair: string;
  /** The table's change topic; the other one is the collection's. */
  readonly rowTopic: string;
  readonly pool: Pool;
  readonly reader: HintReader;
  readonly worker: PairWorker;
  readonly positions: PairPositions;
  readonly unmapped: UnmappedDocuments;
  readonly deadLetters: Pick<DeadLetters, 'write'>;
  readonly log: Log;
  /** Takes what was lost. */
  onError(error: PairError): void;
}

/**
 * Takes hints from both sides' change topics. A position moves only when every key before it has been looked
 * at, so that a killed bridge begins again with those that were not.
 */
export class PairIntake {
  /** By partition, the last record that this instance has seen there: one that began later looks at every key. */
  readonly #last = new Map<string, NonNullable<StoredPosition['last']>>();
  /** By partition, the time of the first record that is in hand. */
  readonly #inHand = new Map<string, number>();

  constructor(private readonly parts: PairIntakeParts) {}

  async begin(topic: string, partition: number): Promise<StoredPosition | 'earliest'> {
    const next = await this.parts.positions.read(topic, partition);
    if (next === null) return 'earliest';
    return { next, last: this.#last.get(`${topic}/${partition}`) };
  }

  /** Milliseconds of Unix: of the oldest record in hand; null where there is none. */
  get inHandSince(): number | null {
    return this.#inHand.size === 0 ? null : Math.min(...this.#inHand.values());
  }

  async handle(batch: RecordBatch): Promise<void> {
    const { topic, partition, records } = batch;
    const name = `${topic}/${partition}`;
    const last = records.at(-1);
    if (records[0]) this.#inHand.set(name, records[0].timestamp.getTime());
    try {
      await this.#look(batch);
    } finally {
      this.#inHand.delete(name);
    }
    if (last) this.#last.set(name, { offset: last.offset, timestamp: last.timestamp });
  }

  async #look({ topic, partition, records, next, signal }: RecordBatch): Promise<void> {
    const { worker, positions } = this.parts;
    const hints: Hint[] = [];
    for (const record of records) hints.push(await this.#read(record));
    await this.#visible(hints, signal);
    if (hints.some(({ kind }) => kind === 'everything')) await worker.checkedEverything(signal);
    await worker.settled(
      hints.flatMap((hint) => (hint.kind === 'key' ? [hint.key] : [])),
      signal,
    );
    await positions.advance(topic, partition, next);
  }

  /** Hints are gone, so every key may differ. No snapshot is needed for that. */
  async lost(topic: string, partition: number, { why, position, low }: LostPosition): Promise<bigint> {
    const { pair, worker, positions, log, onError } = this.parts;
    const message = `position ${position} of ${topic}/${partition} is lost (${why}): checking everything`;
    log.error(`pair ${pair}: ${message}`);
    onError({ code: 'POSITION_LOST', message });
    this.#last.delete(`${topic}/${partition}`);
    worker.checkEverything();
    await positions.reset(topic, partition, low);
    return low;
  }

  async #read(record: ConsumedRecord): Promise<Hint> {
    const { reader, rowTopic, unmapped, deadLetters, pair } = this.parts;
    try {
      const hint = await (record.topic === rowTopic ? reader.row(record) : reader.document(record));
      if (hint.kind === 'unmapped') await unmapped.tell(hint.id, hint.fault.message, record);
      return hint;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const { code, message } = error as Error & { code: string };
      await deadLetters.write(record, { group: groupOf(pair), reason: { code, text: message } });
      return { kind: 'nothing' };
    }
  }

  /**
   * Decoding can tell of a transaction before a statement sees it. One that this server never had was lost when it was
   * restored: nobody will ever see it.
   */
  async #visible(hints: readonly Hint[], signal: AbortSignal): Promise<void> {
    let ids = [
      ...new Set(hints.flatMap((hint) => ('txId' in hint && hint.txId !== null ? [hint.txId] : []))),
    ];
    for (let looks = 1; ids.length > 0; looks++) {
      const { rows } = await this.parts.pool.query<{ text: string }>(
        'select pg_current_snapshot()::text as text',
      );
      const snapshot = parseSnapshot(rows[0]?.text ?? '');
      ids = ids.filter((id) => !isVisible(snapshot, id));
      if (looks % LOOKS_BEFORE_DOUBT === 0) {
        const next = await this.#nextTransaction();
        ids = ids.filter((id) => isBefore(id, next));
      }
      if (ids.length > 0) await delay(VISIBLE_POLL_MS, undefined, { signal });
    }
  }

  /** An id above that of every transaction so far. */
  async #nextTransaction(): Promise<bigint> {
    const { rows } = await this.parts.pool.query<{ id: string }>('select pg_current_xact_id()::text as id');
    return BigInt(rows[0]?.id ?? 0);
  }
}
