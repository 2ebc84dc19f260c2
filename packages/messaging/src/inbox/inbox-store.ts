/** The inbox's other end: an id may go when the log can no longer deliver its event again. */
export interface InboxStore {
  /**
   * Removes at most `limit` rows that were handled before a moment.
   *
   * @returns how many went; fewer than `limit` means that none is left
   */
  prune(before: Date, limit: number): Promise<number>;
}
