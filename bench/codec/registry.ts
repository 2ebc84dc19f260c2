import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registerSchemas, SchemaRegistry } from '@millrace/messaging';
import type { AnyEventContract } from '@millrace/schemas';
import { runningStack } from '../harness/running-stack.ts';

export interface BenchRegistry extends AsyncDisposable {
  readonly url: string;
  /** Where it comes from, for the report. */
  readonly origin: string;
  readonly ids: ReadonlyMap<AnyEventContract, number>;
}

/**
 * The registry that the registry client reads the writers' schemas from, once each, before the clock runs: the one of
 * a running stack, or else a server that knows these schemas and nothing more.
 */
export async function benchRegistry(contracts: readonly AnyEventContract[]): Promise<BenchRegistry> {
  const url = await runningRegistry();
  if (url === undefined) return await ownRegistry(contracts);
  await registerSchemas(url, contracts);
  const ids = await new SchemaRegistry({ url }).resolveIds(contracts);
  return { url, origin: 'of the running stack', ids, async [Symbol.asyncDispose]() {} };
}

async function runningRegistry(): Promise<string | undefined> {
  try {
    const url = (await runningStack())?.registry.url;
    if (url !== undefined) await fetch(`${url}/config`, { signal: AbortSignal.timeout(5_000) });
    return url;
  } catch {
    return undefined;
  }
}

async function ownRegistry(contracts: readonly AnyEventContract[]): Promise<BenchRegistry> {
  const ids = new Map(contracts.map((contract, index) => [contract, index + 1]));
  const server = createServer((request, response) => {
    const contract = contracts[Number(request.url?.split('/').at(-1)) - 1];
    response.writeHead(contract ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ schema: JSON.stringify(contract?.schema) }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    origin: 'served by the benchmark itself: no stack is running',
    ids,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
