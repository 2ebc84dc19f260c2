import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command } from '@commander-js/extra-typings';
import { SERVICES } from '@millrace/stack';
import { deployTarget } from '../deploy/deploy-target.js';
import { namesHosts } from '../deploy/hosts.js';
import { PROJECT_ROOT } from '../project.js';
import { openDevStack } from '../stack/project-stack.js';
import { PipelinesError } from './pipelines.error.js';

/**
 * What the bridge's deploy step does, as the databases' owners, which the service is not: on this checkout's stack, or
 * in one of Compose's jobs on its own.
 * @param run starts the deploy step with its arguments
 */
export const prepareCommands = (run: (...args: string[]) => Promise<void> = prepare) => [
  new Command('plan')
    .description('list every change to a database, a topic or a connector that pipelines.yaml asks for')
    .action(() => run('plan')),
  new Command('apply')
    .description(
      'list those changes and make them; start the bridge again after it: stack restart cdc-bridge-1',
    )
    .action(() => run('apply')),
  new Command('remove')
    .description('undo what was done for a pipeline; the rows that it wrote stay')
    .argument('<pipeline>', 'its name in pipelines.yaml, which still has it')
    .option('--drop-slot', 'also the replication slot of a database from which nothing flows any more')
    .action((name, { dropSlot = false }) => run('remove', name, ...(dropSlot ? ['--drop-slot'] : []))),
  new Command('drop-slot')
    .description('give up a database that no pipeline reads any more: its replication slot and its connector')
    .argument('<database>', 'its name in the environment')
    .action((name) => run('drop-slot', name)),
];

async function prepare(...args: string[]): Promise<void> {
  const bridge = SERVICES.find(({ name }) => name === 'cdc-bridge');
  if (!bridge) throw new PipelinesError('This stack has no cdc-bridge.');
  const { script, env } = bridge.migration;
  const at = namesHosts(process.env) ? (await deployTarget()).at : await openDevStack().endpoints();
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', script, ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env(at) },
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new PipelinesError(`pipelines ${args[0]} failed; what it was told stands above.`);
}
