import type { ConnectorOffset } from '@millrace/messaging';
import type { Pool } from 'pg';
import { slotName } from '../names/bridge-names.js';

/** Of the log that a slot holds back: with more, somebody is told. */
export const LAG_ALARM_BYTES = 512 * 1_024 * 1_024;

/** A connector's place in Postgres' log, as the server sees it. */
export interface SlotState {
  /** Whether a connector reads from it now. Connect itself says RUNNING all the while that it does not. */
  readonly active: boolean;
  /** The log that the connector has not confirmed. */
  readonly lagBytes: number;
  /** The log that the server keeps for the slot: more, where a transaction began before what was confirmed. */
  readonly heldBytes: number;
  /** The server has removed what the connector has not read: changes are lost. */
  readonly lost: boolean;
}

/** Null where there is no such slot. */
export async function readSlot(pool: Pool, name: string): Promise<SlotState | null> {
  const { rows } = await pool.query<{
    active: boolean;
    lag: string | null;
    held: string | null;
    status: string | null;
  }>(
    `select active, wal_status as status, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as lag,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) as held
     from pg_replication_slots where slot_name = $1 and database = current_database()`,
    [name],
  );
  const [row] = rows;
  if (!row) return null;
  const { active, status, lag, held } = row;
  return { active, lagBytes: Number(lag ?? 0), heldBytes: Number(held ?? 0), lost: status === 'lost' };
}

/** What is wrong with a slot; undefined while all is well. */
export function slotAlarm(name: string, slot: SlotState | null, lagAlarmBytes: number): string | undefined {
  if (slot === null)
    return `the replication slot ${name} is gone: the connector makes a new one, and a new snapshot, when it starts again`;
  if (slot.lost)
    return `the replication slot ${name} is lost: changes that it should have brought are gone. Drop it with select pg_drop_replication_slot('${name}'), as a role with REPLICATION; the connector then makes a new one, and a new snapshot`;
  if (slot.lagBytes > lagAlarmBytes)
    return `the replication slot ${name} is ${megabytes(slot.lagBytes)} MB behind: the server keeps its log until the connector has read it, or loses the slot`;
  if (slot.heldBytes > lagAlarmBytes)
    return `the replication slot ${name} holds back ${megabytes(slot.heldBytes)} MB of the log, of which the connector has read all but ${megabytes(slot.lagBytes)}: a transaction that was begun before is still open. End it, or the server may lose the slot`;
  return undefined;
}

/**
 * What is to be known of a slot that was kept for a database from which no pipeline reads any more.
 * @param database as pipelines name it
 */
export function keptSlot(database: string, { heldBytes, lost }: SlotState): string {
  const slot = slotName(database);
  if (lost)
    return `the replication slot ${slot}, from which no pipeline reads, is lost. Drop it with select pg_drop_replication_slot('${slot}'), as a role with REPLICATION`;
  return `the replication slot ${slot}, from which no pipeline reads, is kept and holds back ${megabytes(heldBytes)} MB of the log, more as the database is written to: bring a pipeline back that reads it, or give it up with pipelines drop-slot ${database}`;
}

const megabytes = (bytes: number) => Math.round(bytes / 1_048_576);

/** Whether a Postgres connector's place (its offsets, as Debezium writes them) is within a snapshot, or before one. */
export function isInSnapshot(offsets: readonly ConnectorOffset[]): boolean {
  return offsets.every(
    ({ snapshot, last_snapshot_record }) => snapshot !== undefined && !last_snapshot_record,
  );
}
