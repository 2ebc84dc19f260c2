import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ConnectApi, ConnectRefusal } from './connect-api.js';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that answers as Connect does: these, in turn, and the last one for ever. */
async function answering(
  ...answers: readonly (readonly [status: number, body: object])[]
): Promise<ConnectApi> {
  let asked = 0;
  server = createServer((_, response) => {
    const [status, body] = answers[Math.min(asked++, answers.length - 1)] as (typeof answers)[number];
    response.writeHead(status).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return new ConnectApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const REBALANCE = { message: 'Request cannot be completed because a rebalance is expected' };

it.each([409, 500])('waits for a rebalance that is told with %i', async (status) => {
  const connect = await answering([status, REBALANCE], [status, REBALANCE], [200, { name: 'mine' }]);
  expect(await connect.config('mine', AbortSignal.timeout(10_000))).toEqual({ name: 'mine' });
});

it('does not wait for what is no rebalance', async () => {
  const connect = await answering([500, { message: 'no such thing' }], [200, {}]);
  await expect(connect.config('mine', AbortSignal.timeout(10_000))).rejects.toBeInstanceOf(ConnectRefusal);
});

it('lists the settings of every connector, by its name', async () => {
  const config = { name: 'mine', 'tasks.max': '1' };
  const connect = await answering([
    200,
    { mine: { info: { name: 'mine', config, tasks: [], type: 'source' } } },
  ]);
  expect(await connect.configs(AbortSignal.timeout(10_000))).toEqual(new Map([['mine', config]]));
});
