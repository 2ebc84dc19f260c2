import { expect, test } from 'vitest';
import { RecordBuffer } from './record-buffer.js';
import type { ConsumedRecord } from './record-consumer.types.js';

const record = (offset: bigint, bytes = 1): ConsumedRecord => ({
  topic: 't',
  partition: 0,
  offset,
  key: null,
  value: Buffer.alloc(bytes),
  headers: {},
  timestamp: new Date(0),
});
const records = (from: number, to: number, bytes?: number) =>
  Array.from({ length: to - from }, (_, n) => record(BigInt(from + n), bytes));
const taken = async (buffer: RecordBuffer) => {
  const batch = await buffer.take();
  return batch && [batch.records.map(({ offset }) => Number(offset)), Number(batch.next)];
};

test('hands out what came in, cut at the limit of records; the last batch goes to the end of the fetch', async () => {
  const buffer = new RecordBuffer({ records: 2, bytes: 10_000 }, 0n);
  buffer.add({ records: records(0, 3), next: 5n });
  buffer.add({ records: records(5, 6), next: 6n });
  expect(await taken(buffer)).toEqual([[0, 1], 2]);
  expect(await taken(buffer)).toEqual([[2, 5], 6]);
});

test('cuts at the limit of bytes, and hands out a larger record alone', async () => {
  const buffer = new RecordBuffer({ records: 100, bytes: 1_000 }, 0n);
  buffer.add({ records: [record(0n, 5_000), ...records(1, 4, 400)], next: 4n });
  expect(await taken(buffer)).toEqual([[0], 1]);
  expect(await taken(buffer)).toEqual([[1, 2], 3]);
});

test('is full at two batches, by records or by bytes, and tells when it has room', async () => {
  const buffer = new RecordBuffer({ records: 2, bytes: 1_000 }, 0n);
  buffer.add({ records: records(0, 3), next: 3n });
  expect(buffer.isFull).toBe(false);
  buffer.add({ records: records(3, 4), next: 4n });
  expect(buffer.isFull).toBe(true);
  const room = buffer.room();
  await buffer.take();
  await room;
  buffer.add({ records: [record(4n, 3_000)], next: 5n });
  expect(buffer.isFull).toBe(true);
});

test('offsets without a record are handed out as a batch of none', async () => {
  const buffer = new RecordBuffer({ records: 2, bytes: 1_000 }, 0n);
  const batch = taken(buffer);
  buffer.add({ records: [], next: 3n });
  expect(await batch).toEqual([[], 3]);
});

test('what lies before the start is not handed out, nor a batch for it', async () => {
  const buffer = new RecordBuffer({ records: 2, bytes: 1_000 }, 4n, 2n);
  expect(buffer.next).toBe(2n);
  const batch = taken(buffer);
  buffer.add({ records: records(2, 4), next: 4n });
  buffer.add({ records: records(4, 5), next: 5n });
  expect(await batch).toEqual([[4], 5]);
});

test('closed, it drops what waits, and ends or rejects whoever takes', async () => {
  const quiet = new RecordBuffer({ records: 2, bytes: 1_000 }, 0n);
  const waiting = quiet.take();
  quiet.close();
  expect(await waiting).toBeUndefined();
  const failed = new RecordBuffer({ records: 2, bytes: 1_000 }, 0n);
  failed.add({ records: records(0, 2), next: 2n });
  failed.close(new Error('why'));
  await expect(failed.take()).rejects.toThrow('why');
});
