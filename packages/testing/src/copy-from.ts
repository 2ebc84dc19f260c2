import type { Client, Connection, Submittable } from 'pg';

/** pg speaks COPY's protocol, but leaves its use to other packages; its types do not tell of it. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Runs `COPY … FROM STDIN` with these bytes. */
export function copyFrom(client: Client, text: string, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The methods that pg's client calls on what it runs.
  client.query({
    submit: (connection: Connection) => connection.query(text),
    handleCopyInResponse(connection: CopyConnection) {
      connection.sendCopyFromChunk(bytes);
      connection.endCopyFrom();
    },
    handleCommandComplete() {},
    handleReadyForQuery: resolve,
    handleError: reject,
  } as Submittable);
  return promise;
}
