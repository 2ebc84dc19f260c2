/** What `pg_current_snapshot()` tells: postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT */
export interface Snapshot {
  /** Every transaction below is over. */
  readonly xmin: bigint;
  /** This one and every later one had not begun, as far as the snapshot knows. */
  readonly xmax: bigint;
  /** Those between that were under way. */
  readonly inProgress: ReadonlySet<bigint>;
}

/** @param text `xmin:xmax:xip,xip,…` */
export function parseSnapshot(text: string): Snapshot {
  const [xmin = '0', xmax = '0', list = ''] = text.split(':');
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    inProgress: new Set(list === '' ? [] : list.split(',').map(BigInt)),
  };
}

/**
 * Whether a statement with this snapshot, or any later one, sees what a transaction did that is known to have
 * committed: decoding can tell of it first, where the commit still waits for a standby.
 * @param txId as Debezium has it: the low 32 bits of the transaction's id
 */
export function isVisible({ xmin, xmax, inProgress }: Snapshot, txId: bigint): boolean {
  const id = fullId(BigInt.asUintN(32, txId), xmax);
  return id < xmin || (id < xmax && !inProgress.has(id));
}

/** Whether a transaction, as Debezium has it, was given its id before this one, in full. */
export function isBefore(txId: bigint, next: bigint): boolean {
  return fullId(BigInt.asUintN(32, txId), next) < next;
}

/** The id with these low bits that is nearest to `near`: live ones are never 2^31 apart. */
function fullId(low: bigint, near: bigint): bigint {
  return near + BigInt.asIntN(32, low - BigInt.asUintN(32, near));
}
