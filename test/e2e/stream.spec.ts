import { setTimeout as delay } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

/** The statuses that an instance streams for an order, until one of them is `last`. */
async function streamed(instance: string, id: string, last: string): Promise<string[]> {
  const signal = AbortSignal.timeout(60_000);
  const response = await fetch(`${instance}/orders/${id}/stream`, { signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const events = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const statuses: string[] = [];
  for await (const { data } of events) {
    statuses.push((JSON.parse(data) as { status: string }).status);
    if (statuses.at(-1) === last) return statuses;
  }
  throw new Error(`the stream ended after ${statuses.join()}`);
}

it('streams every change of status from both instances, whichever of them handled the event', async () => {
  const instances = inject('stack').services['order-service'] ?? [];
  expect(instances).toHaveLength(2);
  const { id } = await world.place([await world.sku(1), 1]);
  const streams = instances.map((instance) => streamed(instance, id, 'cancelled'));
  await world.until(id, 'confirmed');
  await world.system.cancel(id);
  // Told by the database, not found by the stream's own slow look at it every quarter of a minute.
  const told = await Promise.race([Promise.all(streams), delay(8_000, undefined, { ref: false })]);
  for (const statuses of told ?? [['nothing in time']]) {
    expect(['placed,confirmed,cancelled', 'confirmed,cancelled']).toContain(statuses.join());
  }
});
