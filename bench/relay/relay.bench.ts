import { MongoClient } from 'mongodb';
import { percentile } from '../harness/compare.ts';
import { runningStack } from '../harness/running-stack.ts';
import { useDebeziumDefaults } from './debezium-defaults.ts';
import { connect, RelayDatabases, SIDES, type SideName } from './relay-databases.ts';
import { CHANGES_PER_SECOND, type LoadRound, RelayedLoad } from './relayed-load.ts';
import { runBridge } from './running-bridge.ts';

const ROUNDS = 5;
/** Until the JVMs of a stack that was started with `--jit full` have compiled what is used. */
const WARM_UP_S = 90;
const ROUND_S = 4;
/** What is wanted of the shipped settings. */
const P50_MS = 50;
const TIMES_BETTER = 5;
/** Of the rate that is meant: what was measured at a lower one says nothing of it. */
const LEAST_PER_SECOND = 0.95 * CHANGES_PER_SECOND;

type Round = Record<SideName, LoadRound>;

/**
 * How long a change takes from its commit in Postgres until it is in MongoDB, at 1,000 changes a second: with the
 * bridge's own Debezium settings against Debezium's defaults, on one stack and in turns. Meant for a stack that was
 * started with `--jit full`.
 * @returns whether both are as wanted, and measured at that rate
 */
export async function relayBench(): Promise<boolean> {
  const stack = await runningStack();
  if (!stack) throw new Error('no stack is running: start one with `npx pnpm stack up`');
  await using open = new AsyncDisposableStack();
  const databases = open.use(await RelayDatabases.create(stack.databases));
  const bridge = open.use(await runBridge(stack, databases));
  await useDebeziumDefaults(stack.connect.url, `${databases.sideName('defaults')}-changes`);
  await bridge.start();
  const mongo = open.use(await MongoClient.connect(databases.mongoUrl('owner')));
  const loads = new Map<SideName, RelayedLoad>();
  for (const side of SIDES) {
    const { client } = open.use(await connect(databases.postgresUrl(side, 'owner')));
    loads.set(side, open.use(new RelayedLoad(client, mongo.db().collection<{ _id: number }>(side))));
  }
  for (const load of loads.values()) await load.run(WARM_UP_S);

  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const result: { [side in SideName]?: LoadRound | undefined } = {};
    const turns = round % 2 === 0 ? SIDES : SIDES.toReversed();
    for (const side of turns) result[side] = await loads.get(side)?.run(ROUND_S);
    rounds.push(result as Round);
  }
  return report(rounds);
}

function report(rounds: readonly Round[]): boolean {
  const median = (share: number, side: SideName) =>
    percentile(
      rounds.map((round) => percentile(round[side].latencies, share)),
      0.5,
    );
  const ratios = rounds.map(
    ({ shipped, defaults }) => percentile(defaults.latencies, 0.5) / percentile(shipped.latencies, 0.5),
  );
  const p50 = median(0.5, 'shipped');
  const better = percentile(ratios, 0.5);
  const rates = rounds.flatMap((round) => SIDES.map((side) => round[side].perSecond));
  const slowest = percentile(rates, 0);
  console.log('Commit in Postgres to MongoDB at 1,000 changes a second, medians of the rounds');
  console.log(`${ROUNDS} rounds of ${ROUND_S} s on either side, in turns\n`);
  for (const side of SIDES) {
    console.log(
      `${side.padEnd(8)}  p50 ${median(0.5, side).toFixed(0)} ms  p99 ${median(0.99, side).toFixed(0)} ms`,
    );
  }
  console.log(
    `changes a second: ${rates.map((rate) => rate.toFixed(0)).join(', ')}  ` +
      `wanted >= ${LEAST_PER_SECOND}  ${slowest >= LEAST_PER_SECOND ? 'ok' : 'MISSED'}`,
  );
  console.log(`p50 of shipped: wanted < ${P50_MS} ms  ${p50 < P50_MS ? 'ok' : 'MISSED'}`);
  const range = `${percentile(ratios, 0).toFixed(1)} to ${percentile(ratios, 1).toFixed(1)}`;
  const verdict = better >= TIMES_BETTER ? 'ok' : 'MISSED';
  console.log(`times better: ${better.toFixed(1)} (${range})  wanted >= ${TIMES_BETTER}  ${verdict}`);
  return slowest >= LEAST_PER_SECOND && p50 < P50_MS && better >= TIMES_BETTER;
}
