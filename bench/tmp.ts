import { codecBench } from './codec/tmp.bench.ts';
await codecBench();
