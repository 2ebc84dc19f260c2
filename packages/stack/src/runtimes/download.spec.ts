import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bareMachine } from '../spec-support/bare-machine.js';
import { download } from './download.js';

const content = Buffer.alloc(100_000, 'millrace');
const sha512 = createHash('sha512').update(content).digest('hex');

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
}

describe('a download', () => {
  it('that is cut half way, or comes altered, is fetched again', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests++;
      response.setHeader('content-length', content.length);
      if (requests === 1) response.write(content.subarray(0, 50_000), () => response.destroy());
      else if (requests === 2) response.end(Buffer.alloc(content.length, 'other'));
      else response.end(content);
    });
    const file = join(bareMachine().folder, 'file');
    await download(url, sha512, file, new AbortController().signal);
    expect(requests).toBe(3);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  it('that never comes right is refused, naming the address and why', async () => {
    const url = await serve((_request, response) => response.end('a login page'));
    const fetched = download(url, sha512, join(bareMachine().folder, 'file'), new AbortController().signal);
    await expect(fetched).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      message: `Cannot fetch ${url}: it came incomplete or altered (its SHA-512 differs).`,
    });
  });
});
