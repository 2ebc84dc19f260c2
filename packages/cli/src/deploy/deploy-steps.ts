import { join } from 'node:path';
import { applyTopics, registerSchemas } from '@millrace/messaging';
import { contracts, topics } from '@millrace/schemas';
import { type DeployStep, READY } from '@millrace/stack';
import { PROJECT_ROOT } from '../project.js';
import { deployConnectors } from './connectors.deploy.js';

const CONNECTORS = join(PROJECT_ROOT, 'infra', 'connectors');

/** What stands between a running infrastructure and the services: topics, schemas and connectors. */
export const deploySteps: readonly DeployStep[] = [
  {
    name: 'topics',
    after: READY.brokers,
    log: 'kafka-1',
    gatesServices: true,
    run: async ({ kafka }) => {
      const { differences } = await applyTopics(kafka.bootstrapServers, topics);
      if (differences.length > 0)
        throw new Error(`Topics differ from their declaration: ${differences.join('; ')}`);
    },
  },
  {
    name: 'schemas',
    after: [READY.registry],
    log: 'registry',
    gatesServices: true,
    run: ({ registry }) => registerSchemas(registry.url, contracts),
  },
  {
    name: 'connectors',
    // Heartbeat topics, publication and outbox first: without them a connector fails or is silent.
    after: [READY.connect, 'topics', ...READY.migrations],
    log: 'connect',
    gatesServices: false,
    run: ({ connect }, signal) => deployConnectors(connect.url, CONNECTORS, signal),
  },
];
