import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { eventually } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { scrape } from './support/metrics.js';
import { ownStack } from './support/own-stack.js';
import { World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

const instances = () =>
  Object.entries(inject('stack').services).flatMap(([name, urls]) => urls.map((url) => [name, url] as const));

it('carries one trace from the HTTP request through both topics and into the logs of both services', async () => {
  const traceId = randomBytes(16).toString('hex');
  const sku = await world.sku(1);
  const { body } = await world.system.orders.place(world.request([sku, 1]), undefined, {
    headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` },
  });
  await world.until(body.id, 'confirmed');
  await world.untilLogged(body.id, ['OrderPlaced', 'StockReserved', 'OrderConfirmed']);

  for (const { type, headers } of await world.system.events((key) => key === body.id)) {
    expect([type, headers.traceparent?.split('-')[1]]).toEqual([type, traceId]);
  }
  for (const service of ['order-service', 'inventory-service']) {
    const logs = Object.entries(await ownStack().logs()).filter(([name]) => name.startsWith(service));
    await eventually(`the trace in a log of ${service}`, 10_000, async () => {
      const texts = await Promise.all(logs.map(([, log]) => readFile(log, 'utf8')));
      return texts.some((text) => text.includes(traceId));
    });
  }
});

describe.each([
  [
    'order-service',
    ['/orders', '/orders/{id}', '/orders/{id}/cancel', '/orders/{id}/history', '/orders/{id}/stream'],
  ],
  ['inventory-service', ['/stock', '/stock/{sku}', '/reservations/{orderId}']],
  [
    'cdc-bridge',
    ['/pipelines', '/pipelines/{name}', '/pipelines/{name}/verify', '/pipelines/{name}/conflicts'],
  ],
])('%s', (name, paths) => {
  const url = () => inject('stack').services[name]?.[0] ?? '';
  const get = (path: string) => fetch(url() + path, { signal: AbortSignal.timeout(10_000) });

  it('describes its whole API in OpenAPI, for people too', async () => {
    const document = (await (await get('/openapi.json')).json()) as { openapi: string; paths: object };
    expect(document.openapi).toMatch(/^3\./);
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(paths));
    const page = await get('/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
  });

  it('answers a path that it does not have with a problem', async () => {
    const answer = await get('/nowhere');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ]);
  });
});

const OF_SERVICES = [
  'millrace_consumer_lag',
  'millrace_consumer_handling_seconds_count',
  'millrace_outbox_age_seconds',
];
const OF_THE_BRIDGE = [
  'cdc_bridge_lag_records',
  'cdc_bridge_source_lag_seconds',
  'cdc_bridge_rows_applied',
  'cdc_bridge_waiting',
];

it('measures HTTP in every instance, lag, handling and the outbox of services, and each pipeline', async () => {
  // So many that every instance has some to handle.
  const sku = await world.sku(20);
  await Promise.all(Array.from({ length: 20 }, () => world.place([sku, 1])));
  for (const [name, url] of instances()) {
    // A pipeline's lag is known once a marker has come.
    await eventually(`every metric of ${name}`, 30_000, async () => {
      const names = new Set((await scrape(url)).map((sample) => sample.name));
      const own = name === 'cdc-bridge' ? OF_THE_BRIDGE : OF_SERVICES;
      return [...own, 'http_server_request_duration_seconds_count'].every((metric) => names.has(metric));
    });
  }
});

it('is alive and ready in every instance', async () => {
  for (const [, url] of instances()) {
    for (const path of ['/health/live', '/health/ready']) {
      await eventually(`${url}${path} to answer 200`, 30_000, async () => {
        return (await fetch(url + path, { signal: AbortSignal.timeout(10_000) })).status === 200;
      });
    }
  }
});
