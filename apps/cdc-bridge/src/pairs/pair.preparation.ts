import type { Client, ClientBase } from 'pg';
import type { MongoDatabase } from '../databases/named-databases.js';
import type { Step } from '../databases/step.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { TwoWayPipeline } from '../pipelines/pipeline.schema.js';
import { GrantedRights } from '../postgres/granted-rights.js';
import { type TableName, tableNameOf } from '../postgres/identifier.js';
import { runSteps } from '../postgres/owner.connection.js';
import { hasTable, readColumns } from '../postgres/table-columns.js';
import { writingRights } from '../postgres/writing-rights.js';
import { checkLedgerKey } from './ledger-key.js';
import { MongoSide } from './mongo.side.js';
import { PairMapping } from './pair.mapping.js';
import { type PairStep, PairTables } from './pair.tables.js';

/** What is to be made, or to go. */
interface Work {
  readonly steps: readonly Step[];
  /** The bridge's own, in MongoDB. */
  readonly collections: readonly string[];
}

/** What a pair needs in both databases, told before it is made. */
export class PairPreparation {
  readonly #table: TableName;
  readonly #tables: PairTables;

  /**
   * @param owner a connection of the table's owner
   * @param role the bridge's own in Postgres
   * @param mongo as the bridge sees it
   */
  constructor(
    readonly pipeline: TwoWayPipeline,
    readonly owner: Client | ClientBase,
    readonly role: string,
    readonly mongo: MongoDatabase,
  ) {
    this.#table = tableOf(pipeline);
    this.#tables = new PairTables(OWN_SCHEMA, pipeline.name);
  }

  /**
   * What is still to be done; nothing for a pair that stands.
   * @throws PairKeyChanged
   * @throws Error that names what the pair cannot have
   */
  async plan(): Promise<string[]> {
    return told(await this.#toMake());
  }

  /** Makes what is still to be done, returns what that was. @throws StepFailed; see `runSteps` */
  async apply(): Promise<string[]> {
    const work = await this.#toMake();
    await runSteps(this.owner, work.steps);
    await this.#side().create();
    return told(work);
  }

  /** What `remove` would do. */
  async planRemoval(): Promise<string[]> {
    return told(await this.#toRemove());
  }

  /** Takes everything away again, but for the user's own table and collection. */
  async remove(): Promise<string[]> {
    const work = await this.#toRemove();
    await runSteps(this.owner, work.steps);
    await this.#side().drop();
    return told(work);
  }

  async #toMake(): Promise<Work> {
    const whose = { role: this.role, holder: this.pipeline.name };
    const needed = await writingRights(this.owner, this.#table, whose);
    const rights = await GrantedRights.read(this.owner);
    return {
      steps: [
        ...(await this.#open(await this.#steps())),
        ...(await rights.grants(needed)),
        ...rights.revocations((holder) => holder === this.pipeline.name, needed),
      ],
      collections: await this.#side().missing(),
    };
  }

  async #toRemove(): Promise<Work> {
    const rights = await GrantedRights.read(this.owner);
    return {
      steps: [
        ...(await this.#open(await this.#release())),
        ...rights.revocations((holder) => holder === this.pipeline.name),
        ...(await this.#open(this.#tables.drop())),
      ],
      collections: await this.#side().ownCollections(),
    };
  }

  async #steps(): Promise<PairStep[]> {
    const { rename, drop, key, conflict } = this.pipeline;
    const columns = await readColumns(this.owner, this.#table);
    const mapping = new PairMapping(columns, { rename, drop, key, newest: conflict.newest });
    await checkLedgerKey(this.owner, this.#tables, mapping.key);
    return this.#tables.create(this.#table, mapping.key, this.role);
  }

  /** Of a table that is gone only the bridge's own is left to be removed. */
  async #release(): Promise<PairStep[]> {
    const isThere = await hasTable(this.owner, this.#table);
    return isThere ? this.#tables.release(this.#table) : [];
  }

  async #open(steps: readonly PairStep[]): Promise<PairStep[]> {
    const open: PairStep[] = [];
    for (const step of steps) {
      const { rows } = await this.owner.query<{ done: boolean | null }>(`select ${step.done} as done`);
      if (rows[0]?.done !== true) open.push(step);
    }
    return open;
  }

  #side(): MongoSide {
    const { db, own } = this.mongo;
    return new MongoSide(db.collection(this.pipeline.between[1].collection), own, this.pipeline.name);
  }
}

const told = ({ steps, collections }: Work): string[] => [
  ...steps.map(({ what }) => what),
  ...collections.map((name) => `collection ${name}`),
];

/** The table of a pair, by its names. */
export function tableOf({ between: [{ table }] }: TwoWayPipeline): TableName {
  return tableNameOf(table);
}
