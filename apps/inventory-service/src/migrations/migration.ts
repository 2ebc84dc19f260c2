import type { Db } from 'mongodb';

/**
 * One step of the database's form. It may run again over its own work: MongoDB cannot create collections, indexes
 * and the record of it in one transaction.
 */
export interface Migration {
  /** Applied in order, from 1, without gaps; never changed once released. */
  readonly version: number;
  readonly name: string;
  run(db: Db): Promise<void>;
}
