import {
  type Env,
  type Hosts,
  infrastructureEndpoints,
  readStackEnv,
  type StackAddresses,
} from '@millrace/stack';
import { PROJECT_ROOT } from '../project.js';
import { hostsFromEnvironment } from './hosts.js';

export interface DeployTarget {
  readonly env: Env;
  readonly hosts: Hosts;
  readonly at: StackAddresses;
}

/** A stack that something else started, where the environment says. @throws StackError; see `hostsFromEnvironment` */
export const deployTarget = async (): Promise<DeployTarget> => {
  const env = await readStackEnv(PROJECT_ROOT);
  const hosts = hostsFromEnvironment(process.env);
  return { env, hosts, at: { name: 'compose', services: {}, ...infrastructureEndpoints(env, hosts) } };
};
