import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type ConnectApi,
  type ConnectorConfig,
  type ConnectorStatus,
  ConnectRefusal,
} from './connect-api.js';
import { faultOf, isRunning, isStopped } from './connector-status.js';

const RUNNING_WITHIN_MS = 120_000;
const RESTARTS = 5;
const POLL_MS = 200;

/**
 * What a deployment did: found the connector as declared, made it, made it again where one of its name stood that
 * somebody had removed, or gave it other settings.
 */
export type Deployed = 'unchanged' | 'created' | 'restored' | 'updated';

/**
 * Makes Connect run a connector with precisely these settings. One that has them is left alone, or taken up again
 * where it was stopped; one with others is stopped first, so that no task of the old settings counts as running.
 * Failed tasks are started again.
 * @throws Error with the task's own reason when the connector does not run within two minutes
 */
export async function deployConnector(
  connect: ConnectApi,
  name: string,
  config: ConnectorConfig,
  signal: AbortSignal,
): Promise<Deployed> {
  const deadline = performance.now() + RUNNING_WITHIN_MS;
  const retried = <T>(call: () => Promise<T>) => whileRefused(call, deadline, signal);

  const current = await retried(() => connect.config(name, signal));
  const isWanted = isDeepStrictEqual(current, { ...config, name });
  let deployed: Deployed = isWanted ? 'unchanged' : 'updated';
  if (current) {
    if (!isWanted) {
      await stopConnector(connect, name, signal);
      await retried(() => connect.putConfig(name, config, signal));
    }
  } else {
    await retried(() => createStopped(connect, name, config, signal));
    const offsets = await retried(() => connect.offsets(name, signal));
    deployed = offsets.length > 0 ? 'restored' : 'created';
  }
  await retried(() => connect.resume(name, signal));

  for (let restarts = 0; ; ) {
    const status = await retried(() => connect.status(name, signal));
    if (isRunning(status)) return deployed;
    const fault = faultOf(status);
    if (performance.now() >= deadline || (fault && restarts === RESTARTS)) {
      throw new Error(`Connector ${name} does not run: ${fault ?? JSON.stringify(status)}`);
    }
    if (fault) {
      restarts++;
      await retried(() => connect.restartFailed(name, signal));
      await sleep(1_000, undefined, { signal });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/**
 * Ends a connector's tasks and waits until they have: its settings, and the place that it has read to, stay.
 * @throws Error when they have not ended within two minutes
 */
export async function stopConnector(connect: ConnectApi, name: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + RUNNING_WITHIN_MS;
  let status: ConnectorStatus | undefined;
  await whileRefused(() => connect.stop(name, signal), deadline, signal);
  while (performance.now() < deadline) {
    status = await whileRefused(() => connect.status(name, signal), deadline, signal);
    if (isStopped(status)) return;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new Error(`Connector ${name} does not stop: ${JSON.stringify(status)}`);
}

/** So that where it stands can be asked before it has read anything. */
async function createStopped(
  connect: ConnectApi,
  name: string,
  config: ConnectorConfig,
  signal: AbortSignal,
): Promise<void> {
  if (!(await connect.config(name, signal))) await connect.createStopped(name, config, signal);
}

async function whileRefused<T>(call: () => Promise<T>, deadline: number, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      // No answer in time is no answer: every call here may be made again.
      const final = error instanceof ConnectRefusal && !error.canRetry;
      if (final || signal.aborted || performance.now() >= deadline) throw error;
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}
