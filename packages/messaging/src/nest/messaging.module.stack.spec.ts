import { randomUUID } from 'node:crypto';
import { eventually } from '@millrace/testing';
import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type Codec, RegistryUnavailableError, registerSchemas } from '../codec/index.js';
import { KafkaMessageBus } from '../kafka/kafka.message-bus.js';
import { connection, testTopic } from '../kafka/spec-support/kafka-under-test.js';
import type { MessageContext } from '../message-bus.js';
import { type Noted, type TestEvents, testEvents } from '../spec-support/test-events.js';
import { ConsumerHealth } from './consumer-health.js';
import { MessagingModule } from './messaging.module.js';
import type { MessagingOptions } from './messaging.options.js';
import { Subscribe } from './subscribe.decorator.js';
import { CODEC } from './tokens.js';

const { kafka, registry } = inject('stack');

let events: TestEvents;
let topic: AsyncDisposable;
/** What happened, in order. */
let told: string[];
let finish: () => void;

beforeEach(async () => {
  events = testEvents();
  topic = await testTopic(events.topic);
  told = [];
});
afterEach(() => topic[Symbol.asyncDispose]());

async function start(options: Partial<MessagingOptions> = {}) {
  @Injectable()
  class Notes implements OnApplicationShutdown {
    constructor(@Inject(CODEC) readonly codec: Codec) {}

    @Subscribe(events.Noted)
    async noted({ note }: Noted, context: MessageContext): Promise<void> {
      told.push(`begun ${note} ${context.eventId} ${context.topic === events.topic}`);
      if (note === 'slow') {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      told.push(`handled ${note}`);
    }

    onApplicationShutdown(): void {
      told.push('databases close');
    }
  }

  @Module({
    imports: [
      MessagingModule.forRootAsync({
        useFactory: () => ({
          group: `test-${randomUUID()}`,
          brokers: kafka.bootstrapServers,
          registryUrl: registry.url,
          publishes: [events.Noted],
          contracts: [events.Noted],
          ...options,
        }),
      }),
    ],
    providers: [Notes],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  return { app, health: app.get(ConsumerHealth), codec: app.get(Notes).codec };
}

test('a @Subscribe method gets its events; shutdown lets it finish before databases close', async () => {
  await registerSchemas(registry.url, [events.Noted]);
  const { app, health, codec } = await start();
  await eventually('readiness', 20_000, () => health.reasons().length === 0);
  const bus = new KafkaMessageBus({ ...connection, codec });
  await bus.publish(events.Noted, { key: 'k', note: 'first' }, { eventId: 'e1' });
  await eventually('the event', 20_000, () => told.includes('handled first'));
  expect(told).toEqual(['begun first e1 true', 'handled first']);

  await bus.publish(events.Noted, { key: 'k', note: 'slow' }, { eventId: 'e2' });
  await bus.close();
  await eventually('the slow event', 20_000, () => told.includes('begun slow e2 true'));
  const closing = app.close();
  finish();
  await closing;
  expect(told.slice(2)).toEqual(['begun slow e2 true', 'handled slow', 'databases close']);
});

test('a registry that cannot be reached at start is a reason, and nothing is encoded meanwhile', async () => {
  const { app, health, codec } = await start({ registryUrl: 'http://127.0.0.1:9/apis/ccompat/v7' });
  await eventually('the reason', 20_000, () =>
    health.reasons().some((reason) => reason.includes('schema registry at http://127.0.0.1:9')),
  );
  expect(() => codec.encode(events.Noted, { key: 'k', note: '' })).toThrow(RegistryUnavailableError);
  await app.close();
});

test('a schema that was never registered is a reason until it is', async () => {
  const { app, health, codec } = await start();
  await eventually('the reason', 20_000, () =>
    health.reasons().some((reason) => reason.includes(events.Noted.subject)),
  );
  await registerSchemas(registry.url, [events.Noted]);
  await eventually('readiness', 30_000, () => health.reasons().length === 0);
  expect(codec.encode(events.Noted, { key: 'k', note: '' })[0]).toBe(0);
  await app.close();
});
