import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../project.js';

/** Where there is no stack. */
let stateDir: string;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'no-stack-'));
});

afterAll(() => rm(stateDir, { recursive: true }));

const NO_STACK = /^There is no stack in \S+: start it with stack up\.$/;

it.concurrent.each([
  ['plan', NO_STACK],
  ['remove orders', NO_STACK],
  ['list', NO_STACK],
  ['remove', /missing required argument 'pipeline'/],
  ['repair orders --from kafka', /Allowed choices are postgres, mongo/],
  ['verify orders --url http://127.0.0.1:9', /^cdc-bridge does not answer at http:\/\/127\.0\.0\.1:9: /],
])('pipelines %s ends with one line that says why, and as a failure', async (args, line) => {
  const command = [join(PROJECT_ROOT, 'packages/cli/bin/millrace.js'), 'pipelines', ...args.split(' ')];
  const env = { ...process.env, MILLRACE_STATE_DIR: stateDir };
  const failure = await promisify(execFile)(process.execPath, command, { env }).then(
    () => undefined,
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  expect(failure).toMatchObject({ code: 1, stdout: '' });
  expect(failure?.stderr.trim()).toMatch(line);
  expect(failure?.stderr.trim().split('\n')).toHaveLength(1);
});
