import type { Pool } from 'pg';
import type { PairTables } from './pair.tables.js';
import type { RoundCounts } from './round.js';

type Name = keyof RoundCounts;
type Row = Record<Name, string>;

export const NO_COUNTS: RoundCounts = { nothing: 0, docs: 0, rows: 0, bases: 0, conflicts: 0 };
const NAMES = Object.keys(NO_COUNTS) as Name[];

export function sum(a: RoundCounts, b: RoundCounts): RoundCounts {
  return countsOf((name) => a[name] + b[name]);
}

function countsOf(of: (name: Name) => number): RoundCounts {
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as unknown as RoundCounts;
}

function isNews(more: RoundCounts): boolean {
  return Object.values(more).some((count) => count !== 0);
}

/** What all instances have done for a pair, ever; but for the last second of one that was killed. */
export class PairCounts {
  /** Of this instance's, what the others can know. */
  #told = NO_COUNTS;
  #known = NO_COUNTS;
  #last: Promise<unknown> = Promise.resolve();

  /** @param done what this instance has done since it started */
  constructor(
    private readonly pool: Pool,
    private readonly tables: PairTables,
    private readonly done: () => RoundCounts,
  ) {}

  /** Tells the others what they do not know yet. */
  async tell(): Promise<void> {
    if (isNews(this.#more(this.done()))) await this.read();
  }

  /** Tells the others, too. While Postgres is away: what is known of them. */
  async read(): Promise<RoundCounts> {
    const turn = this.#last.then(() => this.#add());
    this.#last = turn.catch(() => undefined);
    return await turn.catch(() => sum(this.#known, this.#more(this.done())));
  }

  async #add(): Promise<RoundCounts> {
    const done = this.done();
    const more = this.#more(done);
    const { counts } = this.tables;
    const sets = NAMES.map((name, i) => `${name} = ${name} + $${i + 1}`);
    const { rows } = isNews(more)
      ? await this.pool.query<Row>(`update ${counts} set ${sets.join(', ')} returning *`, Object.values(more))
      : await this.pool.query<Row>(`select * from ${counts}`);
    const [row] = rows;
    if (!row) throw new Error(`${this.tables.counts} is empty`);
    this.#told = done;
    this.#known = countsOf((name) => Number(row[name]));
    return this.#known;
  }

  #more(done: RoundCounts): RoundCounts {
    return countsOf((name) => done[name] - this.#told[name]);
  }
}
