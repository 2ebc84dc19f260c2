import { Decimal128, Int32 } from 'mongodb';
import { RUNNER_LIMITS } from '../../apps/cdc-bridge/dist/runner/runner.parts.js';
import type { Put } from '../../apps/cdc-bridge/dist/sinks/compaction.js';

/** As many as the bridge takes into one transaction. */
export const BATCH = RUNNER_LIMITS.records;
/** Keys between a change and the next one of the same key. */
const MOMENT = 50;
const BATCHES = 8;

export interface Columns {
  readonly id: number;
  readonly customer: string;
  readonly amount: string;
  readonly note: string;
  readonly updatedAt: string;
}

/** A batch in each side's form. */
export interface Batch {
  /** As the sinks get it. */
  readonly changes: readonly Put[];
  /** The bare rows. */
  readonly rows: readonly Columns[];
}

/**
 * Changes to 20,000 rows, in two versions of each batch. A batch changes each of its rows twice, as an order is
 * placed and a moment later confirmed.
 * @param keyField the name of the key's field at the target
 */
export function changesFor(keyField: 'id' | '_id'): Batch[] {
  return [0, 2].flatMap((version) =>
    Array.from({ length: BATCHES }, (_, batch) => {
      // In no order, as keys come from a source.
      const ids = Array.from({ length: BATCH / 2 }, (_, i) => ((i * 1_741) % (BATCH / 2)) * BATCHES + batch);
      const pairs = ids.map((id) => [version, version + 1].map((each) => columnsOf(id, each)));
      const rows: Columns[] = [];
      for (let i = 0; i < pairs.length; i += MOMENT) {
        const moment = pairs.slice(i, i + MOMENT);
        for (const turn of [0, 1]) rows.push(...moment.flatMap((pair) => pair[turn] ?? []));
      }
      return { rows, changes: rows.map((row) => put(keyField, row)) };
    }),
  );
}

/** Batches without an end, in turns. Each side has one of its own, so that every batch changes what it writes. */
export class Workload {
  readonly #batches: readonly Batch[];
  #next = 0;

  constructor(batches: readonly Batch[]) {
    this.#batches = batches;
  }

  /** The next batch, or its first `size` changes. */
  take(size: number): Batch {
    const { changes, rows } = this.#batches[this.#next++ % this.#batches.length] as Batch;
    return size < BATCH ? { changes: changes.slice(0, size), rows: rows.slice(0, size) } : { changes, rows };
  }
}

function columnsOf(id: number, version: number): Columns {
  return {
    id,
    customer: `customer-${(id * 7) % 1_000}`,
    amount: `${id % 5_000}.${version}500`,
    note: `version ${version} of what was written about this order, of a usual length for a text`,
    updatedAt: new Date(1_800_000_000_000 + id * 1_000 + version).toISOString(),
  };
}

function put(keyField: 'id' | '_id', { id, customer, amount, note, updatedAt }: Columns): Put {
  const key = { text: `[${id}]`, fields: { [keyField]: new Int32(id) } };
  const others = { customer, amount: Decimal128.fromString(amount), note, updated_at: new Date(updatedAt) };
  return { kind: 'put', key, fields: { ...key.fields, ...others }, omitted: [], isNew: false };
}
