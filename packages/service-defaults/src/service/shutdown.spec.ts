import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { TinyServiceProcess } from '../spec-support/tiny-service.process.js';

// Each test starts a process.
vi.setConfig({ testTimeout: 60_000 });

/** Keeps its connections open, as browsers, proxies and Node's own fetch do. */
const agent = new Agent({ keepAlive: true });
afterEach(() => agent.destroy());

interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

async function ask(url: string): Promise<Answer> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

test('finishes the request in hand, then runs the hooks, then exits 0', async () => {
  await using service = new TinyServiceProcess();
  const url = await service.url();
  const inHand = ask(`${url}/slow?size=4`);
  await service.line('slow request begun');

  service.signal('SIGTERM');
  await service.line('shutting down');
  service.signal('SIGUSR2');

  expect(await inHand).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
  expect(await service.ended()).toBe(0);
  expect(service.output).toMatch(/"msg":"request answered".*database closed\n/s);
  expect(service.errors).toBe('');
});

test('takes no new connection, refuses new requests, and is not ready while it shuts down', async () => {
  await using service = new TinyServiceProcess();
  const url = await service.url();
  // On connections that are open, with half a request sent, when the signal comes.
  const raw = await Promise.all([rawRequest(url, '/things'), rawRequest(url, '/health/ready')]);
  const inHand = ask(`${url}/slow?size=4`);
  await service.line('slow request begun');

  service.signal('SIGINT');
  await service.line('shutting down');

  await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  const [refused, notReady] = await Promise.all(raw.map((finish) => finish()));
  expect(refused).toMatch(/^HTTP\/1.1 503 .*problem\+json.*SHUTTING_DOWN/s);
  expect(notReady).toMatch(/^HTTP\/1.1 503 .*the service is shutting down/s);
  service.signal('SIGUSR2');
  await inHand;
  expect(await service.ended()).toBe(0);
});

test.each(['/stream', '/download?type=text/event-stream&size=6'])('ends event streams: %s', async (path) => {
  await using service = new TinyServiceProcess();
  const stream = await begin(`${await service.url()}${path}`);

  service.signal('SIGTERM');

  expect(await stream.whole).toContain('first');
  expect(await service.ended()).toBe(0);
  expect(service.errors).toBe('');
});

test('sends the whole of an answer to a client that reads slowly', async () => {
  await using service = new TinyServiceProcess({ SHUTDOWN_TIMEOUT_MS: '60000' });
  const request = get(`${await service.url()}/slow?size=20000000`, { agent });
  await service.line('slow request begun');
  service.signal('SIGUSR2');
  const [response] = (await once(request, 'response')) as [IncomingMessage];

  service.signal('SIGTERM');
  await service.line('shutting down');
  await setTimeout(300);

  expect((await text(response)).length).toBe(20_000_000);
  expect(await service.ended()).toBe(0);
});

test('does not wait for a client that stopped reading its event stream', async () => {
  await using service = new TinyServiceProcess({ SHUTDOWN_TIMEOUT_MS: '60000' });
  const url = `${await service.url()}/download?type=text/event-stream&size=20000000`;
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  response.on('error', () => {});

  service.signal('SIGTERM');

  expect(await service.ended()).toBe(0);
});

test('finishes an answer that is under way, and then does not wait for its connection', async () => {
  await using service = new TinyServiceProcess({ SHUTDOWN_TIMEOUT_MS: '60000' });
  const download = await begin(`${await service.url()}/download?type=text/plain&size=6`);

  service.signal('SIGTERM');
  await service.line('shutting down');
  service.signal('SIGUSR2');

  expect(await download.whole).toBe('first last');
  expect(await service.ended()).toBe(0);
});

test('does not wait for connections that are kept alive without a request', async () => {
  await using service = new TinyServiceProcess({ SHUTDOWN_TIMEOUT_MS: '60000' });
  await ask(`${await service.url()}/health/live`);

  service.signal('SIGTERM');

  expect(await service.ended()).toBe(0);
});

test('cuts off a request that never ends, still runs the hooks, names it and exits 1', async () => {
  await using service = new TinyServiceProcess({ SHUTDOWN_TIMEOUT_MS: '2000' });
  const inHand = ask(`${await service.url()}/slow?size=4`).catch((error: Error) => error);
  await service.line('slow request begun');

  service.signal('SIGTERM');

  expect(await service.ended()).toBe(1);
  expect(await inHand).toBeInstanceOf(Error);
  expect(service.output).toContain('database closed');
  expect(service.lines().at(-1)).toMatchObject({
    level: 'fatal',
    msg: 'shutdown took longer than 2000 ms; still busy: GET /slow',
  });
});

test('names the hook that hangs and exits 1', async () => {
  await using service = new TinyServiceProcess({ HANG: 'true', SHUTDOWN_TIMEOUT_MS: '200' });
  await service.url();

  service.signal('SIGTERM');

  expect(await service.ended()).toBe(1);
  expect(service.lines().at(-1)).toMatchObject({
    level: 'fatal',
    msg: 'shutdown took longer than 200 ms; still busy: Database.onModuleDestroy',
  });
});

test('exits at once at a second signal', async () => {
  await using service = new TinyServiceProcess({ HANG: 'true', SHUTDOWN_TIMEOUT_MS: '600000' });
  await service.url();
  service.signal('SIGTERM');
  await service.line('shutting down');

  service.signal('SIGINT');

  expect(await service.ended()).toBe(130);
});

/** Asks for an answer that takes its time, and returns once its first part is there. */
async function begin(url: string): Promise<{ whole: Promise<string> }> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  const { promise: first, resolve } = Promise.withResolvers<void>();
  async function* parts() {
    for await (const part of response) {
      resolve();
      yield part;
    }
  }
  const whole = text(parts());
  await first;
  return { whole };
}

/** Begins a request on a connection of its own; the function it returns sends the rest and reads the answer. */
async function rawRequest(url: string, path: string): Promise<() => Promise<string>> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n`);
  return () => {
    socket.write('\r\n');
    return text(socket);
  };
}
