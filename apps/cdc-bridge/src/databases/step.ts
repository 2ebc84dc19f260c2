/** A change to a user's database, and how it is told before it is made. */
export interface Step {
  readonly what: string;
  /** The statement, or for MongoDB the command, as it is run. */
  readonly sql: string;
}
