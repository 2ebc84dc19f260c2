import type { SqlExecutor } from '../sql.js';
import type { InboxStore } from './inbox-store.js';

const CLAIM = 'insert into inbox (event_id, topic) values ($1, $2) on conflict (event_id) do nothing';

/** The ids of events already handled, in the table `inbox`. */
export class PostgresInbox {
  /**
   * The first statement of the handler's transaction. Where another transaction holds the same id, it waits for
   * that one's end.
   *
   * @returns false when the event was handled before: commit, and do nothing more
   */
  async claim(execute: SqlExecutor, eventId: string, topic: string): Promise<boolean> {
    return (await execute(CLAIM, [eventId, topic])) === 1;
  }
}

const PRUNE = `
  delete from inbox where event_id in (
    select event_id from inbox where handled_at < $1 order by handled_at limit $2 for update skip locked)`;

/** Wants an index on `inbox (handled_at)`. */
export class PostgresInboxStore implements InboxStore {
  constructor(private readonly execute: SqlExecutor) {}

  prune(before: Date, limit: number): Promise<number> {
    return this.execute(PRUNE, [before, limit]);
  }
}
