import type { Pool } from 'pg';
import type { PairTables } from './pair.tables.js';
import type { RoundCounts } from './round.js';

type Name = keyof RoundCounts;

export const NO_COUNTS: RoundCounts = { nothing: 0, docs: 0, rows: 0, bases: 0, conflicts: 0 };
const NAMES = Object.keys(NO_COUNTS) as Name[];

export function sum(a: RoundCounts, b: RoundCounts): RoundCounts {
  return countsOf((name) => a[name] + b[name]);
}

function countsOf(of: (name: Name) => number): RoundCounts {
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as unknown as RoundCounts;
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

  /** Tells the others, too. While Postgres is away: what is known of them. */
  async read(): Promise<RoundCounts> {
    const turn = this.#last.then(() => this.#add());
    this.#last = turn.catch(() => undefined);
    return await turn.catch(() => sum(this.#known, this.#more(this.done())));
  }

  async #add(): Promise<RoundCounts> {
    const done = this.done();
    const { rows } = await this.pool.query<Record<Name, string>>(
      `update ${this.tables.counts} set ${NAMES.map((name, i) => `${name} = ${name} + $${i + 1}`).join(', ')}
       returning ${NAMES.join(', ')}`,
      Object.values(this.#more(done)),
    );
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
