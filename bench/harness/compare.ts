/** One of the two things that are compared: `run` does the work `times` times. */
export interface Side {
  readonly name: string;
  run(times: number): void | Promise<void>;
}

export interface Comparison {
  /** How many times as fast as the baseline: the median of the rounds, and the tenth and ninetieth percentile. */
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  /** Runs per second, the median of the rounds. */
  readonly rate: number;
  readonly baselineRate: number;
}

export interface CompareOptions {
  readonly rounds: number;
  /** Batches of each side in a round: its best one counts. */
  readonly batches: number;
  /** How long a batch takes: short, so that some are not cut by another process or by garbage of the other side. */
  readonly batchMs: number;
  /** Milliseconds; the default is the monotonic clock. */
  readonly now?: () => number;
}

/** Enough for the compiler to have settled, whatever the machine. */
const WARM_UP_MS = 300;

/**
 * Compares two sides in pairs: in each round the batches of both alternate, in turns first, and the best of either
 * give the round's ratio. So whatever slows the machine down for a while slows both, and the median does not see it.
 * (mitata, tinybench and benchmark.js each run one side to its end before they begin with the next.)
 */
export async function compare(subject: Side, baseline: Side, options: CompareOptions): Promise<Comparison> {
  const now = options.now ?? (() => performance.now());
  const sides = [
    { side: subject, times: await timesFor(subject, options.batchMs, now), rates: [] as number[] },
    { side: baseline, times: await timesFor(baseline, options.batchMs, now), rates: [] as number[] },
  ] as const;
  for (let round = 0; round < options.rounds; round++) {
    const best = [0, 0];
    for (let batch = 0; batch < 2 * options.batches; batch++) {
      const turn = (round + batch + (batch >> 1)) % 2 === 0 ? 0 : 1;
      const { side, times } = sides[turn];
      best[turn] = Math.max(best[turn] ?? 0, await rateOf(side, times, now));
    }
    for (const turn of [0, 1] as const) sides[turn].rates.push(best[turn] ?? 0);
  }
  const [{ rates }, { rates: baselineRates }] = sides;
  const ratios = rates.map((rate, round) => rate / (baselineRates[round] ?? Number.NaN));
  return {
    ratio: { median: percentile(ratios, 0.5), low: percentile(ratios, 0.1), high: percentile(ratios, 0.9) },
    rate: percentile(rates, 0.5),
    baselineRate: percentile(baselineRates, 0.5),
  };
}

/** How often a side, once warm, runs in about `batchMs`. */
async function timesFor(side: Side, batchMs: number, now: () => number): Promise<number> {
  let times = 1;
  for (const duration of [WARM_UP_MS, batchMs]) {
    for (times = 1; ; times *= 2) {
      const rate = await rateOf(side, times, now);
      if (times * 1_000 < rate * duration) continue;
      times = Math.max(1, Math.round((rate * duration) / 1_000));
      break;
    }
  }
  return times;
}

/** Runs per second. */
async function rateOf(side: Side, times: number, now: () => number): Promise<number> {
  const start = now();
  await side.run(times);
  return (times * 1_000) / (now() - start);
}

/** The value that `share` of all do not exceed (nearest rank); NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
