import { MongoClient } from 'mongodb';
import type { Step } from '../databases/step.js';
import { CAPTURED_COLLECTION, SIGNALS_COLLECTION } from '../names/bridge-names.js';
import { parseMongoConnectorUrl } from './connector-url.js';
import {
  type CollectionRecord,
  type MongoStep,
  mongoFaults,
  mongoRemoval,
  mongoSteps,
  readMongoCatalogue,
  SIGNALS_ROLE,
} from './mongo.plan.js';
import { collectionSnapshots, type DueSnapshot, type MongoSignal } from './snapshot-signal.js';
import { SourceRefused } from './source.error.js';
import type { Captured, PreparedSource } from './source.js';
import { unchunkedCollections } from './unchunked-collections.js';

const TIMEOUT_MS = 15_000;

/** A MongoDB source through its owner's connection. Close it. */
export class PreparedMongo {
  private constructor(
    readonly source: PreparedSource,
    private readonly client: MongoClient,
    private readonly database: string,
    private readonly connector: { readonly user: string; readonly authSource: string },
  ) {}

  static async open(source: PreparedSource): Promise<PreparedMongo> {
    const { user, database, options } = parseMongoConnectorUrl(source.settings.connectorUrl);
    const client = await MongoClient.connect(source.settings.ownerUrl, {
      serverSelectionTimeoutMS: TIMEOUT_MS,
      socketTimeoutMS: TIMEOUT_MS,
    });
    return new PreparedMongo(source, client, database, { user, authSource: options.authSource ?? database });
  }

  /** @throws SourceRefused naming every collection that cannot be captured */
  async check(): Promise<void> {
    const { captured, name } = this.source;
    const faults = mongoFaults(await readMongoCatalogue(this.#db), captured);
    if (faults.length > 0) throw new SourceRefused(name, faults);
  }

  /** What is captured already of what is declared; a collection that is gone is made again. */
  async alreadyCaptured(): Promise<Captured[]> {
    const { records, collections } = await readMongoCatalogue(this.#db);
    return this.source.captured.filter(
      ({ name }) => records.some(({ _id }) => _id === name) && collections.get(name)?.isView !== true,
    );
  }

  async plan(): Promise<Step[]> {
    return mongoSteps(this.database, await readMongoCatalogue(this.#db), this.source.captured);
  }

  /** One after the other: MongoDB has no transaction over such commands, and each may be made again. */
  async apply(steps: readonly Step[]): Promise<void> {
    for (const { command } of steps as readonly MongoStep[]) await this.#db.command(command);
    if ((await readMongoCatalogue(this.#db)).hasRole) await this.#grant();
  }

  async removal(): Promise<Step[]> {
    return mongoRemoval(await readMongoCatalogue(this.#db));
  }

  async keyless(): Promise<string[]> {
    return [];
  }

  /**
   * Tells the connector to read the collections that were added since it was made; once for each, unless killed.
   * @param before called with them first
   */
  async signalDueSnapshots(before: (due: readonly DueSnapshot[]) => Promise<void>): Promise<void> {
    const names = (await this.#records.find(this.#due).toArray()).map(({ _id }) => _id);
    const within = (name: string) => `${this.database}.${name}`;
    const unchunked = await unchunkedCollections(this.#db, names);
    await before(names.map((name) => ({ name, isBlocking: unchunked.includes(name) })));
    for (const { id, type, data } of collectionSnapshots(names.map(within), unchunked.map(within))) {
      await this.#db.collection<MongoSignal>(SIGNALS_COLLECTION).insertOne({ _id: id, type, data });
    }
    await this.#settle();
  }

  /** With a new connector, whose first snapshot reads everything, in one piece. @param before called with what is due */
  async settleDueSnapshots(before: (due: readonly DueSnapshot[]) => Promise<void>): Promise<void> {
    const due = await this.#records.find(this.#due).toArray();
    await before(due.map(({ _id }) => ({ name: _id, isBlocking: false })));
    await this.#settle();
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  async #settle(): Promise<void> {
    await this.#records.updateMany(this.#due, { $set: { snapshotDue: false } });
  }

  get #db() {
    return this.client.db(this.database);
  }

  /** What no pipeline wants the rows of stays due: a later one may. */
  get #due() {
    const wanted = this.source.captured.filter(({ snapshot }) => snapshot).map(({ name }) => name);
    return { _id: { $in: wanted }, snapshotDue: true };
  }

  get #records() {
    return this.#db.collection<CollectionRecord>(CAPTURED_COLLECTION);
  }

  /** Each time: the server lets a database's owner grant its roles, and not see who has them. */
  async #grant(): Promise<void> {
    await this.client.db(this.connector.authSource).command({
      grantRolesToUser: this.connector.user,
      roles: [{ role: SIGNALS_ROLE, db: this.database }],
    });
  }
}
