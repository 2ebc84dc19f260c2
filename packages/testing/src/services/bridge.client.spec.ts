import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BridgeClient } from './bridge.client.js';

let server: Server;
let bridge: BridgeClient;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer(({ method, url }, answer) => {
    asked.push(`${method} ${url}`);
    answer.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  bridge = new BridgeClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
});

afterAll(() => server.close());

it('asks for the very name and conflict that it was given, whatever their characters', async () => {
  const name = '../a b?c#d/%2e';
  const encoded = '..%2Fa%20b%3Fc%23d%2F%252e';
  await bridge.pipeline(name);
  await bridge.pause(name);
  await bridge.resume(name);
  await bridge.resnapshot(name);
  await bridge.verify(name);
  await bridge.repair(name, 'mongo');
  await bridge.replay(name);
  await bridge.conflicts(name, 'a&b');
  await bridge.restore(name, '1/2');
  expect(asked).toEqual([
    `GET /pipelines/${encoded}`,
    ...['pause', 'resume', 'resnapshot', 'verify', 'repair', 'replay'].map(
      (verb) => `POST /pipelines/${encoded}/${verb}`,
    ),
    `GET /pipelines/${encoded}/conflicts?before=a%26b`,
    `POST /pipelines/${encoded}/conflicts/1%2F2/restore`,
  ]);
});
