import { codecBench } from './codec/codec.bench.ts';
import { relayBench } from './relay/relay.bench.ts';
import { sinksBench } from './sinks/sinks.bench.ts';

/** `pnpm bench [name …]`: runs the benchmarks of these names, or all; the exit code says whether each ratio held. */
const benches: Readonly<Record<string, () => Promise<boolean>>> = {
  codec: codecBench,
  sinks: sinksBench,
  relay: relayBench,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`No benchmark named ${unknown.join(', ')}. There is: ${Object.keys(benches).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of names) {
    if (!(await benches[name]?.())) process.exitCode = 1;
  }
}
