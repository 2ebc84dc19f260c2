import { fileURLToPath } from 'node:url';
import { openStack } from '@millrace/stack';
import { LogReader } from '@millrace/testing';
import { inject, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** `kill -9` of a process of the stack under test, and another in its place; it runs when the test has finished. */
export async function killPart(
  name: string,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<void> {
  const stack = openStack({ root: ROOT, stateDir: inject('stackFolder') });
  onTestFinished(() => stack.start(name));
  await stack.kill(name, 'SIGKILL');
  await meanwhile();
  await stack.start(name);
}

/** The same for the broker that leads most partitions of a topic. */
export async function killLeader(topic: string): Promise<void> {
  const log = await LogReader.fromNow(inject('stack').kafka.bootstrapServers, [topic]);
  const busiest = await log.busiestBroker(topic).finally(() => log.close());
  await killPart(`kafka-${busiest}`);
}
