import { reasonOf } from '@millrace/stack';
import { type Answer, BridgeClient } from '@millrace/testing';
import { openDevStack } from '../stack/project-stack.js';
import { PipelinesError } from './pipelines.error.js';

/**
 * Asks cdc-bridge, and gives what it answered.
 * @param url of one instance; without it, those of this checkout's stack
 * @throws PipelinesError when nobody answers, or what was asked is refused
 */
export async function askBridge<T>(
  url: string | undefined,
  ask: (bridge: BridgeClient) => Promise<Answer<T>>,
): Promise<T> {
  const bridge = new BridgeClient(await instances(url));
  let answer: Answer<T>;
  try {
    answer = await ask(bridge);
  } catch (cause) {
    const where = bridge.http.instances.join(', ');
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    throw new PipelinesError(
      isLate
        ? `cdc-bridge has not answered in time at ${where}: what was asked may still be under way there.`
        : `cdc-bridge does not answer at ${where}: ${reasonOf(cause)}`,
      { cause },
    );
  }
  if (answer.status < 300) return answer.body;
  const { detail, title } = answer.body as { detail?: string; title?: string };
  throw new PipelinesError(detail ?? title ?? `cdc-bridge answers ${answer.status}`);
}

async function instances(url: string | undefined): Promise<readonly string[]> {
  if (url !== undefined) return [url.replace(/\/$/, '')];
  const { services } = await openDevStack().endpoints();
  const found = services['cdc-bridge'] ?? [];
  if (found.length > 0) return found;
  throw new PipelinesError('The stack of this checkout has no cdc-bridge. Name one with --url.');
}
