import { type ConsumedRecord, silentLog } from '@millrace/messaging';
import { expect, it } from 'vitest';
import { SinkError } from '../sinks/sink.error.js';
import type { CompleteEffects } from '../sinks/sink.js';
import { Gate } from './gate.js';
import { PartitionWork } from './partition.work.js';
import { RUNNER_LIMITS, type RunnerParts } from './runner.parts.js';

const at = new Date();
const record = (n: number): ConsumedRecord => ({
  ...{ topic: 'changes', partition: 0, offset: BigInt(n), timestamp: at, headers: {} },
  ...{ key: null, value: null },
});

/** Each record is a row of its own; the sink notes how many it is given, and refuses the first batch. */
function partsOf(records: number) {
  const sizes: number[] = [];
  const parts: Partial<Record<keyof RunnerParts, unknown>> = {
    route: {
      pipeline: { name: 'orders' },
      topic: 'changes',
      reader: {
        read: ({ offset }: ConsumedRecord) => {
          const key = { text: `${offset}`, fields: { _id: `${offset}` } };
          const change = { kind: 'put', key, fields: key.fields, omitted: [], isNew: false };
          return { kind: 'change', change, at, snapshot: null };
        },
      },
    },
    sink: {
      apply: async (effects: CompleteEffects) => {
        sizes.push(effects.puts.length);
        if (sizes.length === 1) throw new SinkError('SINK_CONFLICT', new Error('a write conflict'), true);
      },
    },
    gate: new Gate(),
    limits: { ...RUNNER_LIMITS, records },
    log: silentLog,
  };
  return { parts: parts as RunnerParts, sizes };
}

it('writes smaller batches after a conflict, and larger ones again while all is well', async () => {
  const { parts, sizes } = partsOf(8);
  const work = new PartitionWork(parts, 0, 0n, null);
  const records = Array.from({ length: 40 }, (_, n) => record(n));
  const { signal } = new AbortController();
  await work.handle({ topic: 'changes', partition: 0, records, next: 40n, end: 40n, signal });
  expect(sizes).toEqual([8, 4, 5, 7, 8, 8, 8]);
});
