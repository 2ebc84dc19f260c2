import { connect } from 'node:net';

const TIMEOUT_MS = 2_000;
const METADATA = 3;
const VERSION = 1;
const NO_TOPICS = 0;

/**
 * Node ids of the brokers that a broker knows to be alive (fenced ones are left out).
 * One Metadata v1 request of Kafka's protocol (https://kafka.apache.org/protocol#The_Messages_Metadata).
 * @throws Error when there is no whole answer within two seconds.
 */
export const aliveBrokers = async (port: number, signal: AbortSignal): Promise<number[]> => {
  const socket = connect({
    port,
    host: '127.0.0.1',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  try {
    socket.write(metadataRequest());
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) return brokerIds(received);
    }
    throw new Error('the broker closed the connection');
  } finally {
    socket.destroy();
  }
};

const metadataRequest = (): Buffer => {
  const clientId = Buffer.from('stack');
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4);
  let at = request.writeInt32BE(request.length - 4, 0);
  at = request.writeInt16BE(METADATA, at);
  at = request.writeInt16BE(VERSION, at);
  at = request.writeInt32BE(1, at);
  at = request.writeInt16BE(clientId.length, at);
  at += clientId.copy(request, at);
  request.writeInt32BE(NO_TOPICS, at);
  return request;
};

/** Size, correlation id, then per broker: id, host, port and rack (length −1: none). */
export const brokerIds = (response: Buffer): number[] => {
  const ids: number[] = [];
  let at = 8;
  const count = response.readInt32BE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    ids.push(response.readInt32BE(at));
    at += 4;
    at += 2 + response.readInt16BE(at) + 4;
    at += 2 + Math.max(response.readInt16BE(at), 0);
  }
  return ids;
};
