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
  /** How long each side runs in a round: short, so that few rounds are cut by another process on the same core. */
  readonly batchMs: number;
  /** Milliseconds; the default is the monotonic clock. */
  readonly now?: () => number;
}

/** Enough for the compiler to have settled, whatever the machine. */
const WARM_UP_MS = 200;

/**
 * Compares two sides in pairs: in each round both run, one right after the other and in turns first, and the round
 * gives one ratio. So whatever slows the machine down for a while slows both, and the median does not see it.
 * (mitata, tinybench and benchmark.js each run one side to its end before they begin with the next.)
 */
export async function compare(subject: Side, baseline: Side, options: CompareOptions): Promise<Comparison> {
  const now = options.now ?? (() => performance.now());
  const subjectTimes = await timesFor(subject, options.batchMs, now);
  const baselineTimes = await timesFor(baseline, options.batchMs, now);
  for (let warmed = 0; warmed < WARM_UP_MS; warmed += options.batchMs) {
    await subject.run(subjectTimes);
    await baseline.run(baselineTimes);
  }
  const rates: number[] = [];
  const baselineRates: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    if (round % 2 === 0) rates.push(await rateOf(subject, subjectTimes, now));
    baselineRates.push(await rateOf(baseline, baselineTimes, now));
    if (round % 2 === 1) rates.push(await rateOf(subject, subjectTimes, now));
  }
  const ratios = rates.map((rate, round) => rate / (baselineRates[round] ?? Number.NaN));
  return {
    ratio: { median: percentile(ratios, 0.5), low: percentile(ratios, 0.1), high: percentile(ratios, 0.9) },
    rate: percentile(rates, 0.5),
    baselineRate: percentile(baselineRates, 0.5),
  };
}

/** How often a side runs in about `batchMs`: doubled until it takes that long. */
async function timesFor(side: Side, batchMs: number, now: () => number): Promise<number> {
  for (let times = 1; ; times *= 2) {
    const start = now();
    await side.run(times);
    const elapsed = now() - start;
    if (elapsed >= batchMs) return Math.max(1, Math.round((times * batchMs) / elapsed));
  }
}

/** Runs per second. */
async function rateOf(side: Side, times: number, now: () => number): Promise<number> {
  const start = now();
  await side.run(times);
  return (times * 1_000) / (now() - start);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
