import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pipelinesCommand } from './pipelines.command.js';

/** A server that answers as cdc-bridge does, and notes what it was asked. */
let bridge: Server;
let asked: string[];
let answer: { status: number; body: unknown };
let url: string;
/** Before it answers. */
let delayMs: number;

beforeEach(async () => {
  delayMs = 0;
  asked = [];
  answer = { status: 200, body: {} };
  bridge = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url} ${await text(request)}`.trim());
    await delay(delayMs);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  await once(bridge.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`;
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  bridge.closeAllConnections();
  await new Promise((resolve) => bridge.close(resolve));
});

const run = (...args: string[]) => pipelinesCommand().parseAsync([...args, '--url', url], { from: 'user' });

it.each([
  [['pause', 'orders'], 'POST /pipelines/orders/pause'],
  [['resume', 'orders'], 'POST /pipelines/orders/resume'],
  [['resnapshot', 'orders'], 'POST /pipelines/orders/resnapshot'],
  [['show', 'orders'], 'GET /pipelines/orders'],
  [['repair', 'orders'], 'POST /pipelines/orders/repair'],
  [['repair', 'customers', '--from', 'mongo'], 'POST /pipelines/customers/repair {"from":"mongo"}'],
  [['replay', 'orders'], 'POST /pipelines/orders/replay'],
  [['conflicts', 'customers', '--before', 'a b'], 'GET /pipelines/customers/conflicts?before=a%20b'],
  [['restore', 'customers', '1-postgres-7'], 'POST /pipelines/customers/conflicts/1-postgres-7/restore'],
])('%j asks %s', async (args, request) => {
  await run(...args);
  expect(asked).toEqual([request]);
});

it('fails where both sides differ, and where nothing was compared', async () => {
  const equal = { sourceRows: 2, targetRows: 2, compared: 2, missing: 0, extra: 0, different: 0, sample: [] };
  answer.body = equal;
  await run('verify', 'orders');
  answer.body = { ...equal, missing: 1, extra: 1 };
  await expect(run('verify', 'orders')).rejects.toThrow('orders: 2 rows differ');
  answer.body = { ...equal, unsettled: 3 };
  await expect(run('verify', 'orders')).rejects.toThrow('orders: nothing is known of 3 rows');
  answer.body = { ...equal, compared: 0 };
  await expect(run('verify', 'orders')).rejects.toThrow('orders: nothing was compared');
});

it.each(['verify', 'repair', 'replay'])(
  'waits for a %s as long as the bridge may work on it',
  async (verb) => {
    answer.body = {
      sourceRows: 1,
      targetRows: 1,
      compared: 1,
      missing: 0,
      extra: 0,
      different: 0,
      sample: [],
    };
    const limits = vi.spyOn(AbortSignal, 'timeout');
    // What Node's fetch does after five minutes, sooner.
    await fetch('data:,'); // only then is there something to put in the place of
    const patience = new ImpatientFetch(500);
    delayMs = 2_500;
    try {
      await run(verb, 'orders');
    } finally {
      patience.restore();
    }
    expect(Math.max(...limits.mock.calls.map(([ms]) => ms))).toBeGreaterThan(15 * 60_000);
  },
);

it('says that what it does not wait for any longer may go on', async () => {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    return AbortSignal.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  });
  await expect(run('verify', 'orders')).rejects.toThrow('may still be under way');
});

it('says what the bridge refuses, in its words', async () => {
  answer = { status: 404, body: { title: 'Not Found', detail: 'there is no pipeline odrers' } };
  await expect(run('show', 'odrers')).rejects.toThrow('there is no pipeline odrers');
});

it('says where nobody answers', async () => {
  url = 'http://127.0.0.1:9';
  await expect(run('list')).rejects.toThrow('cdc-bridge does not answer at http://127.0.0.1:9');
});

const DISPATCHER = Symbol.for('undici.globalDispatcher.1');
type Dispatcher = { constructor: new (options: { headersTimeout: number }) => Dispatcher };

/** Lets Node's own `fetch` give up on an answer's headers so soon, until it is restored. */
class ImpatientFetch {
  readonly #global = globalThis as unknown as { [DISPATCHER]: Dispatcher };
  readonly #own: Dispatcher;

  constructor(headersTimeout: number) {
    this.#own = this.#global[DISPATCHER];
    this.#global[DISPATCHER] = new this.#own.constructor({ headersTimeout });
  }

  restore(): void {
    this.#global[DISPATCHER] = this.#own;
  }
}
