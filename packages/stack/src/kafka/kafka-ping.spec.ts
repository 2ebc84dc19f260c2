import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { aliveBrokers } from './kafka-ping.js';

const never = new AbortController().signal;

const brokerEntry = (id: number, rack?: string) => {
  const head = Buffer.alloc(6);
  head.writeInt32BE(id);
  head.writeInt16BE(9, 4);
  const tail = Buffer.alloc(6);
  tail.writeInt32BE(9092);
  tail.writeInt16BE(rack ? rack.length : -1, 4);
  return Buffer.concat([head, Buffer.from('127.0.0.1'), tail, Buffer.from(rack ?? '')]);
};

const answer = (...entries: Buffer[]) => {
  const head = Buffer.alloc(12);
  head.writeInt32BE(1, 4);
  head.writeInt32BE(entries.length, 8);
  const body = Buffer.concat([head, ...entries, Buffer.alloc(8)]);
  body.writeInt32BE(body.length - 4);
  return body;
};

/** A server that answers every request with these bytes, a few at a time, as a network may. */
const serve = async (bytes: Buffer) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (let at = 0; at < bytes.length; at += 5) socket.write(bytes.subarray(at, at + 5));
      if (bytes.length === 0) socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
};

it('reads who is alive from an answer that comes in pieces', async () => {
  using server = await serve(answer(brokerEntry(1), brokerEntry(3, 'rack-b'), brokerEntry(2)));
  expect(await aliveBrokers(server.port, never)).toEqual([1, 3, 2]);
});

it('refuses a broker that hangs up', async () => {
  using server = await serve(Buffer.alloc(0));
  await expect(aliveBrokers(server.port, never)).rejects.toThrow('closed the connection');
});
