import type { RecordBatch } from '@millrace/messaging';
import { expect, it, vi } from 'vitest';
import { PairIntake, type PairIntakeParts } from './pair.intake.js';

const KEY = '["1"]';

it('keeps a hint until its transaction is visible, and moves the position after its key was looked at', async () => {
  // Transaction 15 is under way at first: its row would be read as it was before.
  const snapshots = ['10:20:15', '10:20:15', '16:20:'];
  const query = vi.fn(async () => ({ rows: [{ text: snapshots.shift() ?? '' }] }));
  const settled = vi.fn(async () => {
    expect(snapshots).toEqual([]);
  });
  const advance = vi.fn(async () => {
    expect(settled).toHaveBeenCalledOnce();
  });
  const intake = new PairIntake({
    rowTopic: 'rows',
    pool: { query },
    reader: { row: async () => ({ kind: 'key', key: KEY, txId: 15n }) },
    worker: { settled },
    positions: { advance },
  } as unknown as PairIntakeParts);
  const record = { topic: 'rows', partition: 2, offset: 7n, timestamp: new Date(5) };
  const { signal } = new AbortController();
  const handled = intake.handle({
    topic: 'rows',
    partition: 2,
    records: [record],
    next: 8n,
    signal,
  } as unknown as RecordBatch);
  expect(intake.inHandSince).toBe(5);
  await handled;
  expect(settled).toHaveBeenCalledWith([KEY], signal);
  expect(advance).toHaveBeenCalledWith('rows', 2, 8n);
  expect(intake.inHandSince).toBeNull();
});

it('waits for no transaction that this server never had', async () => {
  const query = vi.fn(async (_: string) => ({ rows: [{ text: '10:20:', id: '20' }] }));
  const advance = vi.fn();
  const intake = new PairIntake({
    rowTopic: 'rows',
    pool: { query },
    reader: { row: async () => ({ kind: 'key', key: KEY, txId: 999n }) },
    worker: { settled: vi.fn() },
    positions: { advance },
  } as unknown as PairIntakeParts);
  await intake.handle({
    topic: 'rows',
    partition: 2,
    records: [{ topic: 'rows', partition: 2, offset: 7n, timestamp: new Date(5) }],
    next: 8n,
    signal: AbortSignal.timeout(10_000),
  } as unknown as RecordBatch);
  expect(query).toHaveBeenCalledWith('select pg_current_xact_id()::text as id');
  expect(advance).toHaveBeenCalledWith('rows', 2, 8n);
});
