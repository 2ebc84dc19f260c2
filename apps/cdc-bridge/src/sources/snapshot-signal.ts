import { randomUUID } from 'node:crypto';
import { exactName } from './exact-name.js';

/** A table or collection whose rows are about to be read, because nobody has read them yet. */
export interface DueSnapshot {
  /** `schema.table`, or the name of a collection. */
  readonly name: string;
  /** Not in chunks: a connector that ends meanwhile does not take it up again. */
  readonly isBlocking: boolean;
}

/** What Debezium reads from its signal table or collection (docs: "Sending signals to a Debezium connector"). */
export interface Signal {
  readonly id: string;
  readonly type: 'execute-snapshot';
  readonly data: {
    readonly type: 'incremental' | 'blocking';
    readonly 'data-collections': readonly string[];
  };
}

/** The same as a document of a MongoDB source. */
export type MongoSignal = Omit<Signal, 'id'> & { readonly _id: string };

/**
 * Signals for a snapshot of tables: an incremental one, in chunks while changes flow; for those that cannot be read
 * in chunks a blocking one, for which changes wait.
 * @param names `schema.table`
 */
export function tableSnapshots(names: readonly string[], unchunked: readonly string[]): Signal[] {
  const { chunked, blocking } = divided(names, unchunked);
  return [...execute('incremental', chunked.map(exactName)), ...execute('blocking', blocking.map(exactName))];
}

/**
 * The same for collections. For an incremental snapshot Debezium 3.6 wants the name of one that it has not met yet
 * as it is.
 * @param names `database.collection`, by MongoDB's name of the database
 */
export function collectionSnapshots(names: readonly string[], unchunked: readonly string[]): Signal[] {
  const { chunked, blocking } = divided(names, unchunked);
  return [...execute('incremental', chunked), ...execute('blocking', blocking.map(exactName))];
}

function divided(names: readonly string[], unchunked: readonly string[]) {
  return {
    chunked: names.filter((name) => !unchunked.includes(name)),
    blocking: names.filter((name) => unchunked.includes(name)),
  };
}

function execute(type: Signal['data']['type'], collections: readonly string[]): Signal[] {
  if (collections.length === 0) return [];
  return [{ id: randomUUID(), type: 'execute-snapshot', data: { type, 'data-collections': collections } }];
}
