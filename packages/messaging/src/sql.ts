/** Runs one statement in the caller's transaction and returns the number of rows that it changed. */
export type SqlExecutor = (sql: string, params: unknown[]) => Promise<number>;

/** Runs one query and returns its rows. */
export type SqlQuery = (sql: string, params: unknown[]) => Promise<readonly Record<string, unknown>[]>;
