import type { Pool } from 'pg';

/** A connector's place in Postgres' log, as the server sees it. */
export interface SlotState {
  /** Whether a connector reads from it now. Connect itself says RUNNING all the while that it does not. */
  readonly active: boolean;
  /** The log that the server keeps because the connector has not confirmed it. */
  readonly lagBytes: number;
  /** The server has removed what the connector has not read: changes are lost. */
  readonly lost: boolean;
}

/** Null where there is no such slot. */
export async function readSlot(pool: Pool, name: string): Promise<SlotState | null> {
  const { rows } = await pool.query<{ active: boolean; lag: string | null; status: string | null }>(
    `select active, wal_status as status, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as lag
     from pg_replication_slots where slot_name = $1 and database = current_database()`,
    [name],
  );
  const row = rows[0];
  return row ? { active: row.active, lagBytes: Number(row.lag ?? 0), lost: row.status === 'lost' } : null;
}

/** What is wrong with a slot; undefined while all is well. */
export function slotAlarm(name: string, slot: SlotState | null, lagAlarmBytes: number): string | undefined {
  if (slot === null)
    return `the replication slot ${name} is gone: the connector makes a new one, and a new snapshot, when it starts again`;
  if (slot.lost)
    return `the replication slot ${name} is lost: changes that it should have brought are gone. Drop it with select pg_drop_replication_slot('${name}'), as a role with REPLICATION; the connector then makes a new one, and a new snapshot`;
  if (slot.lagBytes > lagAlarmBytes)
    return `the replication slot ${name} is ${Math.round(slot.lagBytes / 1_048_576)} MB behind: the server keeps its log until the connector has read it, or loses the slot`;
  return undefined;
}
