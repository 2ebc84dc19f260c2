import { runningStack } from '../harness/running-stack.ts';
import { missed, table } from '../harness/table.ts';
import { BATCH } from './changes.ts';
import { mongoBench } from './mongo.bench.ts';
import { postgresBench } from './postgres.bench.ts';
import { OPTIONS } from './sides.ts';

/** Compares the bridge's sinks with the plain ways to write the same. @returns whether every ratio is as wanted */
export async function sinksBench(): Promise<boolean> {
  const stack = await runningStack();
  if (!stack) throw new Error('no stack is running: start one with `npx pnpm stack up`');
  const { postgresAdmin, mongoAdmin } = stack.databases;
  const rows = [...(await postgresBench(postgresAdmin)), ...(await mongoBench(mongoAdmin))];
  console.log(
    `Batches of ${BATCH.toLocaleString('en')} changes, two of each key; ${OPTIONS.rounds} rounds, interleaved\n`,
  );
  console.log(table(rows));
  return missed(rows).length === 0;
}
