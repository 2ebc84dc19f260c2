/** What a pipeline asks of the databases that it reads. */
export interface SourcesPort {
  /** Resolves when every change that was committed before this call is in its topic. */
  caughtUp(database: string, signal: AbortSignal): Promise<void>;
  /** How far the connector is behind its database; undefined where that is not known. */
  lagSeconds(database: string): number | undefined;
  /** What is wrong with the database's connector, a sentence each. */
  alarms(database: string): readonly string[];
  /** Asks for the rows that are there now, while changes flow on. */
  requestSnapshot(database: string, table: string): Promise<void>;
}
