import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ConnectApi, type ConnectorConfig, type ConnectorStatus, ConnectRefusal } from './connect-api.js';

const RUNNING_WITHIN_MS = 120_000;
const RESTARTS = 5;
const POLL_MS = 200;

/**
 * Makes Connect run the connectors in `folder`, each a file of settings named after it. One whose settings are as
 * declared is left alone; failed tasks are started again.
 * @throws Error with the task's own reason when a connector does not run within two minutes.
 */
export const deployConnectors = async (url: string, folder: string, signal: AbortSignal): Promise<void> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  await Promise.all(
    files.map(async (file) => {
      const config = JSON.parse(await readFile(join(folder, file), 'utf8')) as ConnectorConfig;
      await deployConnector(new ConnectApi(url), basename(file, '.json'), config, signal);
    }),
  );
};

const deployConnector = async (
  connect: ConnectApi,
  name: string,
  config: ConnectorConfig,
  signal: AbortSignal,
): Promise<void> => {
  const deadline = performance.now() + RUNNING_WITHIN_MS;
  const retried = <T>(call: () => Promise<T>) => whileRefused(call, deadline, signal);

  const current = await retried(() => connect.config(name, signal));
  if (!isDeepStrictEqual(current, { ...config, name }))
    await retried(() => connect.putConfig(name, config, signal));

  for (let restarts = 0; ; ) {
    const status = await retried(() => connect.status(name, signal));
    if (isRunning(status)) return;
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
};

/** Both the connector and its tasks: Connect makes the tasks a moment after the connector. */
export const isRunning = ({ connector, tasks }: ConnectorStatus): boolean =>
  tasks.length > 0 && [connector, ...tasks].every(({ state }) => state === 'RUNNING');

/** Why it failed: the innermost cause in the trace, where there is one. */
export const faultOf = ({ connector, tasks }: ConnectorStatus): string | undefined => {
  const failed = [connector, ...tasks].find(({ state }) => state === 'FAILED');
  if (!failed) return undefined;
  const lines = (failed.trace ?? '').split('\n');
  return lines.findLast((line) => line.startsWith('Caused by:')) ?? lines[0] ?? 'FAILED';
};

const whileRefused = async <T>(call: () => Promise<T>, deadline: number, signal: AbortSignal): Promise<T> => {
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
};
