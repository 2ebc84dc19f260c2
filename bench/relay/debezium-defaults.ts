import { setTimeout as sleep } from 'node:timers/promises';

/** What the bridge sets for speed and bounds, and Debezium has defaults for. */
const TUNED = [
  'poll.interval.ms',
  'max.queue.size.in.bytes',
  'retriable.restart.connector.wait.ms',
  'slot.retry.delay.ms',
  'heartbeat.interval.ms',
  'heartbeat.action.query',
];
const RESTART_TIMEOUT_MS = 60_000;

type Config = Record<string, string>;

/** Takes a connector's timing back to Debezium's defaults (poll.interval.ms 500), and waits until it runs so. */
export async function useDebeziumDefaults(connectUrl: string, connector: string): Promise<void> {
  const url = `${connectUrl}/connectors/${connector}`;
  const shipped = await asked<Config>(`${url}/config`);
  const config = Object.fromEntries(Object.entries(shipped).filter(([name]) => !TUNED.includes(name)));
  await asked(`${url}/config`, { method: 'PUT', body: JSON.stringify(config) });
  const deadline = performance.now() + RESTART_TIMEOUT_MS;
  for (;;) {
    const { tasks } = await asked<{ tasks: { state: string }[] }>(`${url}/status`);
    const [task] = await asked<{ config: Config }[]>(`${url}/tasks`);
    if (tasks[0]?.state === 'RUNNING' && task && !('poll.interval.ms' in task.config)) return;
    if (performance.now() > deadline) throw new Error(`${connector} does not run with Debezium's defaults`);
    await sleep(500);
  }
}

async function asked<T>(url: string, init: RequestInit = {}): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
