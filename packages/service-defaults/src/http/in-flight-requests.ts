import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemException } from './problem.js';
import { routeOf } from './route-of.js';

/** Still answered while draining: how else would one learn about it. */
const always = /^\/health(\/|$)/;

/** How long a client may take to read the end of an event stream. */
const STREAM_END_MS = 1_000;

/** Knows which requests are being worked on, and drains them when the service shuts down. */
export class InFlightRequests {
  readonly #requests = new Map<ServerResponse, string>();
  #draining = false;

  constructor(private readonly server: FastifyInstance) {
    server.addHook('onRequest', (request, reply, done) => {
      if (this.#draining) {
        reply.raw.setHeader('Connection', 'close');
        if (!always.test(request.url)) {
          done(
            new ProblemException({
              status: 503,
              code: 'SHUTTING_DOWN',
              detail: 'The service is shutting down.',
            }),
          );
          return;
        }
      }
      this.#requests.set(reply.raw, `${request.method} ${routeOf(request)}`);
      reply.raw.once('close', () => this.#requests.delete(reply.raw));
      done();
    });
    server.addHook('onSend', (_request, reply, payload, done) => {
      if (this.#draining && !reply.raw.headersSent) {
        reply.raw.setHeader('Connection', 'close');
      }
      done(null, payload);
    });
  }

  /** Method and route of each request that is being worked on. */
  get open(): string[] {
    return [...this.#requests.values()];
  }

  /** Takes no new connection and no new request, ends event streams, and waits for the rest to be answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    // Not `http.Server`'s own close: it drops every connection whose answer is complete, sent or not.
    const closed = new Promise<void>((resolve) =>
      Server.prototype.close.call(this.server.server, () => resolve()),
    );
    this.#sweep();
    // Again and again: a stream may begin, and a kept-alive connection go idle, after the server closed.
    const sweeper = setInterval(() => this.#sweep(), 20);
    await closed.finally(() => clearInterval(sweeper));
  }

  #sweep(): void {
    const answers = [...this.#requests.keys()];
    for (const stream of answers.filter((answer) => isEventStream(answer) && !answer.writableEnded)) {
      endStream(stream);
    }
    if (!answers.some((answer) => answer.writableEnded)) {
      this.server.server.closeIdleConnections();
    }
  }
}

// A client that does not read would keep the end of its stream from being sent.
function endStream(response: ServerResponse): void {
  response.end();
  setTimeout(() => response.destroy(), STREAM_END_MS).unref();
}

/** Whether an answer is a stream of server-sent events, which ends only when somebody ends it. */
export function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
}
