/** The outbox's other end: rows go when their event was read back from the log. */
export interface OutboxStore {
  /** Removes rows in one statement. An id that it does not hold, or cannot, is nothing to it. */
  remove(eventIds: readonly string[]): Promise<void>;
  /** When the oldest remaining row was written; null when there is none. */
  oldest(): Promise<Date | null>;
}
