import { eventually } from '@millrace/testing';
import pg from 'pg';

const WITHIN_MS = 30_000;

/**
 * Lets Postgres give up a slot that nobody reads, as it does where that would hold back too much of its log: for a
 * moment it takes a second to be too long. Slots that are read stay.
 * @param adminUrl of a superuser
 */
export async function loseSlot(adminUrl: string, slot: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const set = async (statement: string) => {
    await admin.query(`alter system ${statement}`);
    await admin.query('select pg_reload_conf()');
  };
  try {
    await set(`set idle_replication_slot_timeout = '1s'`);
    await eventually(`${slot} to be lost`, WITHIN_MS, async () => {
      await admin.query('checkpoint');
      const { rows } = await admin.query(
        `select from pg_replication_slots where slot_name = $1 and wal_status = 'lost'`,
        [slot],
      );
      return rows.length === 1;
    });
  } finally {
    await set('reset idle_replication_slot_timeout');
    await admin.end();
  }
}
