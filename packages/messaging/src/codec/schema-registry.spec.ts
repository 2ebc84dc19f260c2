import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { OrderPlaced } from '@millrace/schemas';
import { afterEach, describe, expect, it } from 'vitest';
import type { CodecError } from './codec.errors.js';
import { registerSchemas } from './register-schemas.js';
import { SchemaRegistry } from './schema-registry.js';

/** What no healthy registry can be made to do, done by a server of the test's own. */

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}/apis/ccompat/v7`;
}

const raw = (answer: (socket: Socket) => void) =>
  listening(createServer((socket) => socket.once('data', () => answer(socket))));
const http = (listener: RequestListener) => listening(createHttpServer(listener));

const unavailable = { name: 'RegistryUnavailableError', code: 'REGISTRY_UNAVAILABLE', canRetry: true };
const json = { 'content-type': 'application/json' };
const find = async (registry: SchemaRegistry, id = 1) => registry.find(id);

describe('a registry in trouble', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['never answers', () => {}],
    [
      'stops within its answer',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"sch'),
    ],
    [
      'closes within its answer',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"sch'),
    ],
    [
      'sends its answer byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const drip = setInterval(() => socket.write(' '), 20);
        socket.on('close', () => clearInterval(drip)).on('error', () => {});
      },
    ],
  ])('that %s is unavailable when the time is up', async (_, answer) => {
    const registry = new SchemaRegistry({ url: await raw(answer), timeoutMs: 150 });
    const start = performance.now();
    await expect(find(registry)).rejects.toMatchObject(unavailable);
    await expect(registry.resolveIds([OrderPlaced])).rejects.toMatchObject(unavailable);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('lets go of the connection when the time is up', async () => {
    const closed = Promise.withResolvers<void>();
    const url = await raw((socket) => socket.on('close', () => closed.resolve()));
    await expect(find(new SchemaRegistry({ url, timeoutMs: 100 }))).rejects.toMatchObject(unavailable);
    await closed.promise;
  });

  it.each([
    [500, '{"error_code":50001,"message":"Error in the backend data store"}'],
    [503, 'Service Unavailable'],
    [401, '{"error_code":40101,"message":"Unauthorized"}'],
    [404, '<html>some other server</html>'],
    [404, '{"message":"no such route"}'],
    [200, '<html>a login page</html>'],
  ])('that answers %d %s says nothing about the schema: to be asked again', async (status, body) => {
    let asked = 0;
    const url = await http((_, response) => {
      asked++;
      response.writeHead(status, json).end(body);
    });
    const registry = new SchemaRegistry({ url });
    await expect(find(registry)).rejects.toMatchObject(unavailable);
    await expect(find(registry)).rejects.toMatchObject(unavailable);
    expect(asked).toBe(2);
  });

  it('may close its connections between two calls', async () => {
    let asked = 0;
    const url = await raw((socket) => {
      asked++;
      const body = '{"error_code":40403,"message":"Schema 1 not found."}';
      socket.write(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      socket.once('data', () => socket.resetAndDestroy());
    });
    const registry = new SchemaRegistry({ url, unknownForMs: 0 });
    for (let call = 1; call <= 3; call++) {
      await expect(find(registry)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
      expect(asked).toBe(call);
    }
  });

  it('that hangs up without an answer is asked once more', async () => {
    let asked = 0;
    const url = await raw((socket) => {
      asked++;
      const body = '{"error_code":40403,"message":"Schema 1 not found."}';
      if (asked === 1) socket.end();
      else socket.write(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
    await expect(find(new SchemaRegistry({ url }))).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    expect(asked).toBe(2);
  });

  it('that nobody listens at is unavailable, and its credentials stay out of the message', async () => {
    const url = 'http://user:secret@127.0.0.1:1/apis/ccompat/v7';
    const error: unknown = await find(new SchemaRegistry({ url })).catch((reason) => reason);
    expect(error).toMatchObject(unavailable);
    expect(String(error)).toContain('127.0.0.1:1/apis/ccompat/v7');
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toContain('secret');
    await expect(registerSchemas(url, [OrderPlaced])).rejects.toMatchObject(unavailable);
  });
});

describe('lookups', () => {
  const schema = JSON.stringify({ schema: JSON.stringify(OrderPlaced.schema) });

  it('an unknown id is looked up once in a lifetime, however often it is asked for', async () => {
    let asked = 0;
    let now = 0;
    const url = await http((_, response) => {
      asked++;
      response.writeHead(404, json).end('{"error_code":40403,"message":"Schema 7 not found."}');
    });
    const registry = new SchemaRegistry({ url, unknownForMs: 30_000, now: () => now });
    const codes = new Set<unknown>();
    for (now = 0; now < 10_000; now++) {
      codes.add(await find(registry, 7).catch((error: CodecError) => `${error.code} ${error.canRetry}`));
    }
    expect([...codes]).toEqual(['SCHEMA_UNKNOWN false']);
    expect(asked).toBe(1);
    now = 30_000;
    await expect(find(registry, 7)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    expect(asked).toBe(2);
  });

  it('an id that many ask for at once is looked up once, and then known', async () => {
    let asked = 0;
    const url = await http((_, response) => {
      asked++;
      response.writeHead(200, json).end(schema);
    });
    const registry = new SchemaRegistry({ url });
    const found = await Promise.all(Array.from({ length: 100 }, () => find(registry)));
    expect(new Set(found).size).toBe(1);
    expect(registry.find(1)).toBe(found[0]);
    expect(asked).toBe(1);
  });

  it('keeps no more schemas than it may', async () => {
    let asked = 0;
    const url = await http((_, response) => {
      asked++;
      response.writeHead(200, json).end(schema);
    });
    const registry = new SchemaRegistry({ url, schemas: 2 });
    for (const id of [1, 2, 3, 3, 2, 1]) await find(registry, id);
    expect(asked).toBe(4);
  });

  it.each([
    ['{"schema":"{\\"type\\":\\"nope\\"}"}', 'unknown type'],
    ['{"schema":"not JSON"}', 'JSON'],
    ['{"schema":"{}","schemaType":"JSON"}', 'not an Avro schema'],
  ])('what is not Avro is refused for good: %s', async (body, message) => {
    let asked = 0;
    const url = await http((_, response) => {
      asked++;
      response.writeHead(200, json).end(body);
    });
    const registry = new SchemaRegistry({ url });
    for (let attempt = 0; attempt < 2; attempt++) {
      const error: unknown = await find(registry).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'SCHEMA_UNREADABLE', canRetry: false });
      expect(String(error)).toContain(message);
    }
    expect(asked).toBe(1);
  });
});
