import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { AvroCodec, registerSchemas, SchemaRegistry } from '../codec/index.js';
import { handle } from '../message-bus.js';
import { type TestEvents, testEvents } from '../spec-support/test-events.js';
import { KafkaMessageBus } from './kafka.message-bus.js';
import { connection, testTopic } from './spec-support/kafka-under-test.js';

const registryUrl = inject('stack').registry.url;

/** The real registry, which can be made to hang or to fail. */
async function troubledRegistry() {
  const state: { trouble: 'none' | 'hangs' | 'fails' } = { trouble: 'none' };
  const server = createServer((request, response) => {
    if (state.trouble === 'hangs') return;
    if (state.trouble === 'fails') return void response.writeHead(503).end('{}');
    fetch(`${registryUrl}${request.url}`).then(
      async (answer) => {
        const type = answer.headers.get('content-type') ?? '';
        response.writeHead(answer.status, { 'content-type': type }).end(await answer.text());
      },
      () => response.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { state, url: `http://127.0.0.1:${port}`, close };
}

let events: TestEvents;
let topic: AsyncDisposable;
let registry: Awaited<ReturnType<typeof troubledRegistry>>;
let buses: KafkaMessageBus[];

beforeEach(async () => {
  events = testEvents();
  topic = await testTopic(events.topic);
  registry = await troubledRegistry();
  await registerSchemas(registryUrl, [events.Noted]);
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  registry.close();
  await topic[Symbol.asyncDispose]();
});

test.each(['hangs', 'fails'] as const)(
  'a registry that %s pauses the partition, which goes on by itself',
  async (trouble) => {
    const direct = new SchemaRegistry({ url: registryUrl });
    const writing = new AvroCodec(direct, await direct.resolveIds([events.Noted]));
    const reading = new AvroCodec(new SchemaRegistry({ url: registry.url, timeoutMs: 300 }));
    const producer = new KafkaMessageBus({ ...connection, codec: writing });
    const consumer = new KafkaMessageBus({ ...connection, codec: reading, closeWithinMs: 500 });
    buses = [producer, consumer];
    const notes: string[] = [];

    registry.state.trouble = trouble;
    await producer.publish(events.Noted, { key: 'k', note: 'first' });
    const subscription = await consumer.subscribe({
      group: `test-${randomUUID()}`,
      handlers: [
        handle(events.Noted, async ({ note }) => {
          notes.push(note);
        }),
      ],
    });
    await eventually('the reason', 20_000, () =>
      subscription.reasons().some((reason) => /@0 fails and is retried: REGISTRY_UNAVAILABLE/.test(reason)),
    );
    expect(notes).toEqual([]);

    registry.state.trouble = 'none';
    await eventually('the record', 20_000, () => notes.includes('first'));
    await eventually('readiness', 5_000, () => subscription.reasons().length === 0);

    // What was read once needs no registry.
    registry.state.trouble = trouble;
    await producer.publish(events.Noted, { key: 'k', note: 'second' });
    await eventually('the next record', 20_000, () => notes.includes('second'));
    expect(subscription.reasons()).toEqual([]);
  },
);
