import { type ConsumedRecord, type DeadLetterCause, silentLog } from '@millrace/messaging';
import { describe, expect, it } from 'vitest';
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

/** What the sink does with a batch, from the first on. */
type Outcome = (attempt: number, rows: number) => SinkError | undefined;

/** Each record is a row of its own; the sink notes how many it is given, and then does as `outcome` says. */
function partsOf(limits: Partial<RunnerParts['limits']>, outcome: Outcome) {
  const sizes: number[] = [];
  const letters: string[] = [];
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
      apply: async ({ puts }: CompleteEffects) => {
        sizes.push(puts.length);
        const refusal = outcome(sizes.length, puts.length);
        if (refusal) throw refusal;
      },
    },
    gate: new Gate(),
    control: { setLastError: async () => {} },
    deadLetters: {
      write: async ({ offset }: ConsumedRecord, { reason }: DeadLetterCause) => {
        letters.push(`${offset}: ${reason.text}`);
      },
    },
    limits: { ...RUNNER_LIMITS, ...limits },
    log: silentLog,
  };
  return { parts: parts as RunnerParts, sizes, letters };
}

async function handle(parts: RunnerParts, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => record(n));
  const [next, { signal }] = [BigInt(count), new AbortController()];
  const work = new PartitionWork(parts, 0, 0n, null);
  await work.handle({ topic: 'changes', partition: 0, records, next, end: next, signal });
}

const conflict = (text: string, isContention: boolean) =>
  new SinkError('SINK_CONFLICT', new Error(text), isContention);

it('writes smaller batches after a conflict, and larger ones again while all is well', async () => {
  const { parts, sizes } = partsOf({ records: 8 }, (attempt) =>
    attempt === 1 ? conflict('a write conflict', true) : undefined,
  );
  await handle(parts, 40);
  expect(sizes).toEqual([8, 4, 5, 7, 8, 8, 8]);
});

describe('a row that meets nothing but conflicts', () => {
  const patience = { conflictPatienceMs: 100, contentionPatienceMs: 400 };

  it.each([
    ['another row, for as long as that may last', 'a missing parent', false, 100],
    ['whoever holds it, for longer', 'a deadlock', true, 400],
  ])(
    'waits for %s, and is then a dead letter, while the rest passes',
    async (_, text, isContention, waitMs) => {
      let since = 0;
      const { parts, sizes, letters } = partsOf({ ...patience, records: 1 }, (attempt, rows) => {
        if (attempt === 1) return undefined;
        since ||= performance.now();
        // The first row has passed; the second is tried until it is given up, and then its batch is empty.
        return sizes.includes(0) || rows === 0 ? undefined : conflict(text, isContention);
      });
      await handle(parts, 3);
      expect(letters).toEqual([`1: ${text}`]);
      expect(performance.now() - since).toBeGreaterThanOrEqual(waitMs);
      expect(sizes.length).toBeGreaterThan(4); // it was tried again
      expect(sizes.slice(-2)).toEqual([0, 1]);
    },
  );

  it('is not given up for the time in which the database was away', async () => {
    const begun = performance.now();
    const away = () => performance.now() - begun < 2 * patience.conflictPatienceMs;
    let conflicts = 0;
    const { parts, letters } = partsOf({ ...patience, records: 1 }, () => {
      if (away()) return new SinkError('SINK_UNAVAILABLE', new Error('no answer'));
      return ++conflicts < 3 ? conflict('a missing parent', false) : undefined;
    });
    await handle(parts, 1);
    expect([conflicts, letters]).toEqual([3, []]);
  });

  it('is a dead letter once, also where its checkpoint meets conflicts after that', async () => {
    const { parts, sizes, letters } = partsOf({ ...patience, records: 1 }, (_, rows) => {
      if (rows > 0) return conflict('a missing parent', false);
      return sizes.filter((size) => size === 0).length < 4 ? conflict('a deadlock', true) : undefined;
    });
    await handle(parts, 1);
    expect(letters).toEqual(['0: a missing parent']);
  });

  it('passes where they end in time', async () => {
    const { parts, sizes, letters } = partsOf({ ...patience, records: 1 }, (attempt) =>
      attempt < 4 ? conflict('a deadlock', true) : undefined,
    );
    await handle(parts, 1);
    expect([sizes, letters]).toEqual([[1, 1, 1, 1], []]);
  });
});

it('applies nothing more once it is paused, also of a batch that waits for its database', async () => {
  let resumed = false;
  const { parts, sizes } = partsOf({ records: 1 }, (attempt) => {
    if (attempt > 1) return resumed ? undefined : conflict('written while paused', false);
    parts.gate.close();
    setTimeout(() => {
      resumed = true;
      parts.gate.open();
    }, 300);
    return new SinkError('SINK_UNAVAILABLE', new Error('no answer'));
  });
  await handle(parts, 1);
  expect(sizes).toEqual([1, 1]);
});
