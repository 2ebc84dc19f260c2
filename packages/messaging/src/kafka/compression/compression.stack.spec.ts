import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import { eventually } from '@millrace/testing';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compressFrame } from 'lz4-napi';
import { compress as snappyCompress } from 'snappyjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handle } from '../../message-bus.js';
import { type TestEvents, testEvents } from '../../spec-support/test-events.js';
import { KafkaMessageBus } from '../kafka.message-bus.js';
import { bareKafka, connection, testTopic } from '../spec-support/kafka-under-test.js';

const COMPRESS: Record<string, [CompressionTypes, (bytes: Buffer) => Buffer | Promise<Buffer>]> = {
  gzip: [CompressionTypes.GZIP, promisify<Buffer, Buffer>(gzip)],
  snappy: [CompressionTypes.Snappy, snappyCompress],
  lz4: [CompressionTypes.LZ4, (bytes) => compressFrame(bytes)],
  zstd: [CompressionTypes.ZSTD, promisify<Buffer, Buffer>(zstdCompress)],
};

let events: TestEvents;
let topic: AsyncDisposable;
let bus: KafkaMessageBus;

beforeEach(async () => {
  events = testEvents();
  topic = await testTopic(events.topic);
  bus = new KafkaMessageBus({ ...connection, codec: events.codec, closeWithinMs: 500 });
});
afterEach(async () => {
  await bus.close();
  await topic[Symbol.asyncDispose]();
});

/** Produces as another program does: our own producer never compresses. */
async function produce(name: string, partition: number, values: readonly Buffer[]): Promise<void> {
  const [type, compress] = COMPRESS[name] ?? [];
  if (type === undefined || !compress) throw new Error(`no compression ${name}`);
  const reading = CompressionCodecs[type as CompressionTypes.GZIP];
  CompressionCodecs[type as CompressionTypes.GZIP] = () => ({
    ...reading(),
    compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
  });
  const producer = bareKafka.producer();
  try {
    await producer.connect();
    const messages = values.map((value) => ({ key: 'k', value, partition }));
    await producer.send({ topic: events.topic, compression: type, messages });
  } finally {
    await producer.disconnect();
    CompressionCodecs[type as CompressionTypes.GZIP] = reading;
  }
}

async function collect() {
  const notes: string[] = [];
  const subscription = await bus.subscribe({
    group: `test-${randomUUID()}`,
    handlers: [
      handle(events.Noted, async ({ note }) => {
        notes.push(note);
      }),
    ],
  });
  return { notes, subscription };
}

const encoded = (note: string) => events.codec.encode(events.Noted, { key: 'k', note });

test.each(Object.keys(COMPRESS))('a batch compressed with %s is read', async (name) => {
  const texts = Array.from({ length: 50 }, (_, n) => `${name} ${n} ${'text '.repeat(100)}`);
  await produce(name, 0, texts.map(encoded));
  const { notes } = await collect();
  await eventually('all records', 20_000, () => notes.length === texts.length);
  expect(notes).toEqual(texts);
});

test.each(Object.keys(COMPRESS))(
  'a %s batch that unfolds beyond the limit stops its own partition alone',
  async (name) => {
    await produce(name, 0, [encoded('before')]);
    await produce(name, 0, [Buffer.alloc(17 * 1_024 * 1_024)]);
    await produce(name, 0, [encoded('behind it')]);
    await produce(name, 1, [encoded('elsewhere')]);
    const { notes, subscription } = await collect();
    await eventually('the other partition', 20_000, () => notes.includes('elsewhere'));
    await eventually('the record before', 20_000, () => notes.includes('before'));
    const reasons = await eventually('the reason', 20_000, () => {
      const found = subscription.reasons();
      return found.length > 0 && found;
    });
    expect(reasons).toEqual([
      expect.stringMatching(`^${events.topic}/0@1 fails and is retried: BATCH_UNREADABLE`),
    ]);
    expect(notes).not.toContain('behind it');
  },
);
