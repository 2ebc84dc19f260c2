import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Readiness } from '../health/readiness.js';
import type { Service } from './create-service.js';
import { watchShutdownHooks } from './hook-watch.js';

/** The part of the bound that requests in hand may use, so that the hooks after them still get some. */
const REQUESTS_SHARE = 0.75;

/**
 * Shuts a service down, in this order:
 *
 * 1. `/health/ready` says no.
 * 2. No new request is taken; those in hand are answered, event streams ended.
 * 3. Nest's hooks run: `onModuleDestroy`, `beforeApplicationShutdown`, `onApplicationShutdown`.
 *
 * Requests that use up three quarters of the time are cut off, so that the hooks can still do their work.
 *
 * @param timeoutMs bound for all of it
 * @returns what hung, by name; empty when all ended in time
 */
export async function shutDown(service: Service, timeoutMs: number): Promise<string[]> {
  const { app, requests } = service;
  const deadline = Date.now() + timeoutMs;
  app.get(Readiness).shutDown();

  const drained = await settledWithin(requests.drain(), timeoutMs * REQUESTS_SHARE);
  const hung = drained ? [] : requests.open;
  if (!drained) {
    app.getHttpServer().closeAllConnections();
  }
  const runningHooks = watchShutdownHooks(app);
  const closed = await settledWithin(app.close(), deadline - Date.now());
  if (!closed) {
    hung.push(...(runningHooks().length > 0 ? runningHooks() : ['closing the application']));
  }
  return hung;
}

/** Ends the process as its last signal, or a fault that nobody handled, demands. */
export function shutDownOnSignals(service: Service, timeoutMs: number): void {
  let shuttingDown = false;
  const onSignal = async (signal: NodeJS.Signals, number: number) => {
    if (shuttingDown) {
      process.exit(128 + number);
    }
    shuttingDown = true;
    service.logger.info({ signal }, 'shutting down');
    const hung = await shutDown(service, timeoutMs);
    if (hung.length > 0) {
      service.logger.fatal(
        { hung },
        `shutdown took longer than ${timeoutMs} ms; still busy: ${hung.join(', ')}`,
      );
    } else {
      service.logger.info('shut down');
    }
    process.exit(hung.length > 0 ? 1 : 0);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** A fault that nobody handled leaves the process in a state that nobody knows: log it and end. */
export function exitOnUnhandledFaults(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      logger.fatal({ err }, event === 'uncaughtException' ? 'uncaught exception' : 'unhandled rejection');
      process.exit(1);
    });
  }
}

async function settledWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const inTime = await Promise.race([
    work.then(() => true),
    after(Math.max(ms, 0), false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  return inTime;
}
