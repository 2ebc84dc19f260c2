import { Command, Option } from '@commander-js/extra-typings';
import { JITS, type StackEndpoints, StackError, type UpResult } from '@millrace/stack';
import { bringUp } from './bring-up.js';
import { seconds } from './progress-view.js';
import { openDevStack } from './project-stack.js';

export const upCommand = () =>
  new Command('up')
    .description('start what is not running, and write .millrace/stack.json')
    .option('--infra-only', 'leave out topics, schemas, connectors and services')
    .option(
      '--instances <service=n...>',
      'how many instances of a service, kept for later starts',
      collectInstances,
      {},
    )
    .addOption(
      new Option(
        '--jit <how>',
        'how the JVMs compile, kept for later starts: quick to start, or full for a stack that runs for long',
      ).choices(JITS),
    )
    .action(async ({ infraOnly = false, instances, jit }) => {
      const begin = performance.now();
      const result = await bringUp((options) => openDevStack({ ...options, instances, jit }), { infraOnly });
      console.log(`\n${outcome(result)} (${seconds(performance.now() - begin)})`);
      console.log(addresses(result.endpoints, infraOnly));
    });

const collectInstances = (value: string, previous: Record<string, number>): Record<string, number> => {
  const [service, count] = value.split('=');
  if (service && count && /^\d+$/.test(count)) return { ...previous, [service]: Number(count) };
  throw new StackError(
    'WRONG_SETTINGS',
    `--instances takes service=number, as in order-service=2, but got "${value}".`,
  );
};

const outcome = ({ started, endpoints }: UpResult): string => {
  if (started.length === 0) return 'The stack was up already.';
  const all = started.length === Object.keys(endpoints.processes).length;
  return all ? 'The stack is up.' : `The stack was up in part: started ${started.join(', ')}.`;
};

/** Every address that a person would open or connect to. */
export const addresses = (
  { kafka, registry, connect, databases, services }: StackEndpoints,
  infraOnly: boolean,
): string => {
  const host = (url: string) => new URL(url).host;
  const rows = [
    ['Kafka', kafka.bootstrapServers.join(', ')],
    ['Schema Registry', registry.url],
    ['Kafka Connect', connect.url],
    ['Postgres', host(databases.postgresAdmin)],
    ['MongoDB', host(databases.mongoAdmin)],
    ...(infraOnly
      ? []
      : Object.entries(services).map(([name, urls]) => [name, urls.map((url) => `${url}/docs`).join(', ')])),
    ['All of it', '.millrace/stack.json (users and passwords too)'],
  ];
  return rows.map(([name = '', address]) => `  ${name.padEnd(18)} ${address}`).join('\n');
};
