import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { NativeContext } from '../native-context.js';
import { readStackEnv } from '../settings/stack-env.js';
import { StateFolder } from '../state/state-folder.js';
import { writeBrokerConfig } from './broker-config.js';

const ROOT = join(import.meta.dirname, '../../../..');

it.each([1, 2, 3])('gives broker %i its own lines, and no topic that nobody declared', async (id) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const state = new StateFolder(folder);
  await state.create();
  const context = { root: ROOT, env: await readStackEnv(ROOT), state } as NativeContext;

  const file = await writeBrokerConfig(context, id, ['/data'], 'broker.properties');

  expect(parseProperties(await readFile(file, 'utf8'))).toMatchObject({
    'auto.create.topics.enable': 'false',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'node.id': String(id),
    'log.dirs': '/data',
  });
});

/** Java properties without escapes; the later of two lines wins, as in Kafka. */
function parseProperties(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}
