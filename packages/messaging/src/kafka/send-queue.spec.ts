import { eventually } from '@millrace/testing';
import { expect, test } from 'vitest';
import { type Batch, SendQueue } from './send-queue.js';

interface Item {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
  readonly text: string;
}

const item = (text: string, partition = 0, bytes = 10): Item => ({ topic: 't', partition, bytes, text });
const LIMITS = { batchItems: 3, batchBytes: 100, queuedBytes: 1_000 };

/** A sender that waits for the test to let each batch go. */
function heldSender() {
  const batches: Batch<Item>[] = [];
  const release: ((error?: Error) => void)[] = [];
  const send = async (batch: Batch<Item>) => {
    batches.push(batch);
    await new Promise<void>((resolve, reject) => {
      release.push((error) => (error ? reject(error) : resolve()));
    });
    return batch.items.map(({ text }) => `sent ${text}`);
  };
  const texts = () => batches.map(({ items }) => items.map(({ text }) => text).join(''));
  return { batches, release, send, texts };
}

test('one batch is under way at a time, of one partition, in order, within the limits', async () => {
  const { batches, release, send, texts } = heldSender();
  const queue = new SendQueue(send, LIMITS);
  const results = Promise.all([
    queue.add(item('a')),
    queue.add(item('x', 1)),
    queue.add(item('b')),
    queue.add(item('c')),
    queue.add(item('d')),
    queue.add(item('y', 1, 95)),
  ]);
  for (let sent = 1; sent <= 4; sent++) {
    await eventually('the next batch', 1_000, () => batches.length === sent);
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches.length).toBe(sent);
    release[sent - 1]?.();
  }
  expect(await results).toEqual(['sent a', 'sent x', 'sent b', 'sent c', 'sent d', 'sent y']);
  expect(texts()).toEqual(['abc', 'x', 'd', 'y']);
});

test('a batch that fails rejects its own records, and the next one goes out', async () => {
  const { batches, release, send } = heldSender();
  const queue = new SendQueue(send, LIMITS);
  const failing = queue.add(item('a'));
  const fine = queue.add(item('x', 1));
  await eventually('the first batch', 1_000, () => batches.length === 1);
  release[0]?.(new Error('no leader'));
  await expect(failing).rejects.toThrow('no leader');
  await eventually('the second batch', 1_000, () => batches.length === 2);
  release[1]?.();
  expect(await fine).toBe('sent x');
});

test('where the queue is full, records wait for room and keep their order', async () => {
  const { batches, release, send, texts } = heldSender();
  const queue = new SendQueue(send, { ...LIMITS, queuedBytes: 50 });
  const all = Promise.all([
    queue.add(item('a', 0, 40)),
    queue.add(item('b', 0, 40)),
    // Would fit beside the first, but comes after the second.
    queue.add(item('c', 0, 5)),
  ]);
  await eventually('the first batch', 1_000, () => batches.length === 1);
  expect(texts()).toEqual(['a']);
  release[0]?.();
  await eventually('the second batch', 1_000, () => batches.length === 2);
  expect(texts()).toEqual(['a', 'bc']);
  release[1]?.();
  await all;
});

test('a record larger than the whole queue goes out alone', async () => {
  const queue = new SendQueue<Item, string>(async ({ items }) => items.map(({ text }) => text), LIMITS);
  expect(await queue.add(item('huge', 0, 5_000))).toBe('huge');
});
