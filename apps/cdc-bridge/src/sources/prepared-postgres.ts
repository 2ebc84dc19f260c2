import type pg from 'pg';
import type { Step } from '../databases/step.js';
import { CAPTURED_TABLE, OWN_SCHEMA, SIGNALS_TABLE } from '../names/bridge-names.js';
import { GrantedRights } from '../postgres/granted-rights.js';
import { quoteName, shown, type TableName, tableNameOf } from '../postgres/identifier.js';
import { connectOwner, runSteps } from '../postgres/owner.connection.js';
import { parsePostgresConnectorUrl } from './connector-url.js';
import { type Catalogue, isSameTable, readCatalogue } from './postgres.catalogue.js';
import {
  isCapture,
  postgresFaults,
  postgresRemoval,
  postgresSteps,
  type Roles,
  readingRights,
} from './postgres.plan.js';
import { type DueSnapshot, type Signal, tableSnapshots } from './snapshot-signal.js';
import { SourceRefused } from './source.error.js';
import type { Captured, PreparedSource } from './source.js';
import { unchunkedTables } from './unchunked-tables.js';

const OWN = quoteName(OWN_SCHEMA);

/** A Postgres source through its owner's connection. Close it. */
export class PreparedPostgres {
  readonly #roles: Roles;

  private constructor(
    readonly source: PreparedSource,
    private readonly owner: pg.Client,
  ) {
    this.#roles = {
      cdc: parsePostgresConnectorUrl(source.settings.connectorUrl).user,
      bridge: decodeURIComponent(new URL(source.settings.url).username),
    };
  }

  static async open(source: PreparedSource): Promise<PreparedPostgres> {
    return new PreparedPostgres(source, await connectOwner(source.settings.ownerUrl));
  }

  /** @throws SourceRefused naming every table that cannot be captured as it is */
  async check(): Promise<void> {
    const { captured, name } = this.source;
    const faults = postgresFaults(await this.#catalogue(), captured);
    if (faults.length > 0) throw new SourceRefused(name, faults);
  }

  /** What is captured already of what is declared; another table of its name, made since, is not published. */
  async alreadyCaptured(): Promise<Captured[]> {
    const { records, missing, publication } = await this.#catalogue();
    const published = publication ?? records.map(({ name }) => name);
    return this.source.captured.filter((table) => {
      const name = tableNameOf(table.name);
      const isOne = (other: TableName) => isSameTable(other, name);
      const isRecorded = records.some((record) => isOne(record.name));
      return isRecorded && published.some(isOne) && !missing.some(isOne);
    });
  }

  async plan(): Promise<Step[]> {
    const { captured, name } = this.source;
    const catalogue = await this.#catalogue();
    const rights = await GrantedRights.read(this.owner);
    const needed = readingRights(captured, this.#roles);
    return [
      ...(await rights.grants(needed)),
      ...postgresSteps(name, catalogue, captured, this.#roles),
      ...rights.revocations(isCapture, needed),
    ];
  }

  /** @throws StepFailed; see `runSteps` */
  apply(steps: readonly Step[]): Promise<void> {
    return runSteps(this.owner, steps);
  }

  async removal(): Promise<Step[]> {
    return postgresRemoval(this.source.name, await this.#catalogue());
  }

  /** The captured tables that have no primary key. */
  async keyless(): Promise<string[]> {
    const { tables } = await this.#catalogue();
    return tables.filter(({ hasKey }) => !hasKey).map(({ name }) => shown(name));
  }

  /**
   * Tells the connector to read the tables that were added since it was made; once for each.
   * @param before called with them first
   */
  async signalDueSnapshots(before: (due: readonly DueSnapshot[]) => Promise<void>): Promise<void> {
    await this.#transaction(async () => {
      const names = await this.#takeDue();
      const unchunked = await unchunkedTables(this.owner, names);
      await before(names.map((name) => ({ name, isBlocking: unchunked.includes(name) })));
      for (const signal of tableSnapshots(names, unchunked)) await this.#send(signal);
    });
  }

  /** With a new connector, whose first snapshot reads everything, in one piece. @param before called with what is due */
  async settleDueSnapshots(before: (due: readonly DueSnapshot[]) => Promise<void>): Promise<void> {
    await this.#transaction(async () => {
      await before((await this.#takeDue()).map((name) => ({ name, isBlocking: false })));
    });
  }

  async close(): Promise<void> {
    await this.owner.end();
  }

  #catalogue(): Promise<Catalogue> {
    const { captured, name } = this.source;
    return readCatalogue(
      this.owner,
      name,
      captured.map((table) => tableNameOf(table.name)),
      this.#roles,
    );
  }

  /** What no pipeline wants the rows of stays due: a later one may. */
  async #takeDue(): Promise<string[]> {
    const wanted = this.source.captured.filter(({ snapshot }) => snapshot).map(({ name }) => name);
    const { rows } = await this.owner.query<{ name: string }>(
      `update ${OWN}.${CAPTURED_TABLE} set snapshot_due = false
       where snapshot_due and schema || '.' || name = any($1) returning schema || '.' || name as name`,
      [wanted],
    );
    return rows.map(({ name }) => name);
  }

  async #send({ id, type, data }: Signal): Promise<void> {
    await this.owner.query(`insert into ${OWN}.${SIGNALS_TABLE} values ($1, $2, $3)`, [
      id,
      type,
      JSON.stringify(data),
    ]);
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.owner.query('begin');
    try {
      const result = await work();
      await this.owner.query('commit');
      return result;
    } catch (error) {
      await this.owner.query('rollback').catch(() => undefined);
      throw error;
    }
  }
}
