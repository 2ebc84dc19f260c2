import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command } from '@commander-js/extra-typings';
import {
  parallel,
  provisionMongo,
  provisionPostgres,
  requireCompatibility,
  SERVICES,
  sequence,
  startTree,
  step,
} from '@millrace/stack';
import { PROJECT_ROOT } from '../project.js';
import { Interrupt } from '../stack/interrupt.js';
import { plainView } from '../stack/progress-view.js';
import { deploySteps } from './deploy-steps.js';
import { deployTarget } from './deploy-target.js';

/** For a stack that something else started: `stack up` does the same by itself. */
export const deployCommand = () =>
  new Command('deploy')
    .description('bring a running infrastructure (Compose) to what the services expect; repeatable')
    .option('--databases-only', 'stop after roles and databases, which the registry needs to start')
    .action(async ({ databasesOnly = false }) => {
      using interrupt = new Interrupt();
      const tree = databasesOnly ? await databases() : sequence(await databases(), await deployment());
      await startTree(tree, { signal: interrupt.signal, onProgress: plainView().onProgress });
    });

const databases = async () => {
  const { env, hosts, at } = await deployTarget();
  return parallel(
    step('postgres-roles', (signal) => provisionPostgres(at.databases.postgresAdmin, env, signal)),
    step('mongo-users', (signal) => provisionMongo(hosts.mongo, env, signal)),
  );
};

const deployment = async () => {
  const { at } = await deployTarget();
  const migrations = (needs: 'databases' | 'everything') =>
    SERVICES.filter(({ migration }) => migration.needs === needs).map(({ name, migration }) =>
      step(`${name}-migrations`, (signal) => run(migration.script, migration.env(at), signal)),
    );
  return sequence(
    parallel(
      ...migrations('databases'),
      step('registry-rules', (signal) => requireCompatibility(at.registry.url, signal)),
    ),
    ...deploySteps.map(({ name, run }) => step(name, (signal) => run(at, signal))),
    ...migrations('everything'),
  );
};

const MIGRATION_TIMEOUT_MS = 180_000;

const run = async (script: string, env: Record<string, string>, signal: AbortSignal): Promise<void> => {
  const child = spawn(process.execPath, [script], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
    signal: AbortSignal.any([signal, AbortSignal.timeout(MIGRATION_TIMEOUT_MS)]),
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${script} failed with exit code ${code}`);
};
