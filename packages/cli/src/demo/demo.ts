import type { Stack } from '@millrace/stack';
import {
  checkBooks,
  confirmationTimes,
  eventually,
  type Finding,
  placeAll,
  planOrders,
  RunningSystem,
  readBooks,
  repeats,
  type StackEndpoints,
  tally,
} from '@millrace/testing';
import { tellBridge } from './bridge.js';
import { tellFirstOrder } from './first-order.js';
import { percentile } from './percentile.js';
import type { Story } from './story.js';

export interface DemoOptions {
  /** How many orders are placed after the first. */
  readonly orders: number;
  readonly seed: number;
  /** Names this run's SKUs and customers, so that it counts its own only. */
  readonly run: string;
}

/** What the demo shows, in four chapters. Resolves with what it found: a finding with faults is a failed demo. */
export async function tellDemo(
  endpoints: StackEndpoints,
  stack: Pick<Stack, 'residentBytes'>,
  story: Story,
  options: DemoOptions,
): Promise<Finding[]> {
  await using system = await RunningSystem.open(endpoints);
  const { run, orders, seed } = options;

  story.chapter('One order, step by step');
  const firstConfirmed = await tellFirstOrder(system, story, `First${run}`);

  const plan = planOrders({ run, orders, seed });
  story.chapter(`${orders} orders by many customers, for less stock than they ask for`);
  const askedAt = await placeAll(system, plan, (placed) => story.progress('placed', placed, orders));

  story.chapter('The books: both databases and the log, held against each other');
  const { books, findings } = await settledBooks(system, run, plan.stock);
  for (const finding of findings) story.finding(finding);

  story.step('What it took');
  const { total } = await stack.residentBytes();
  const times = await confirmationTimes(system, run, askedAt);
  story.evidence({
    orders: Object.entries(tally(books.orders))
      .map(([status, n]) => `${n} ${status}`)
      .join(', '),
    log: `${books.log.length} records of these orders, ${repeats(books.log)} of them repeats`,
    'first order confirmed': `${(firstConfirmed / 1_000).toFixed(1)} s after the command`,
    'resident memory': `${Math.round(total / 1024 ** 2)} MB, all processes together`,
    'POST to confirmed': `p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms, of ${times.length} orders`,
  });

  story.chapter('The bridge: what changes in one database, in Kafka and in the other');
  return [...findings, ...(await tellBridge(endpoints, system, story, run))];
}

/** Reads the books until they agree; after a minute, as they are. */
async function settledBooks(system: RunningSystem, run: string, put: ReadonlyMap<string, number>) {
  const read = async () => {
    const books = await readBooks(system, run, put);
    return { books, findings: checkBooks(books) };
  };
  return eventually('books that agree', 60_000, async () => {
    const result = await read();
    return result.findings.every(({ faults }) => faults.length === 0) && result;
  }).catch(read);
}
