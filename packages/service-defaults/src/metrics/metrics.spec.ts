import { Counter, Registry, register } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyService } from '../spec-support/start-tiny-service.js';

let service: Awaited<ReturnType<typeof createTinyService>>;

beforeAll(async () => {
  service = await createTinyService();
});
afterAll(() => service.app.close());

async function metrics(): Promise<string> {
  const answer = await service.app.inject('/metrics');
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  return answer.body;
}

test('measures requests by route template, so that clients cannot make labels', async () => {
  await service.app.inject('/things/1');
  await service.app.inject('/things/2');
  await service.app.inject('/things?limit=7');
  await service.app.inject('/no/such/path');
  await service.app.inject('/no/other/path');

  const counts = (await metrics()).split('\n').filter((line) => /^http_server_.*_count/.test(line));

  expect(counts.sort()).toEqual([
    'http_server_request_duration_seconds_count{method="GET",route="/things",status="200"} 1',
    'http_server_request_duration_seconds_count{method="GET",route="/things/:id",status="400"} 2',
    'http_server_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 2',
  ]);
});

test('shows the process, and what the service itself adds to the registry', async () => {
  new Counter({ name: 'things_total', help: 'Things' }).inc(3);

  expect(service.app.get(Registry)).toBe(register);
  expect(await metrics()).toContain('process_resident_memory_bytes');
  expect(await metrics()).toContain('things_total 3');
});

test('two services in one process share it', async () => {
  const second = await createTinyService();
  const answer = await second.app.inject('/metrics');
  await second.app.close();

  expect(answer.body).toContain('http_server_request_duration_seconds_count');
});
