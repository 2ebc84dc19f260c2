import { expectOk } from '../http.js';
import type { NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { HOST, type StackAddresses } from '../settings/endpoints.js';
import { type Env, portOf } from '../settings/stack-env.js';
import { StackError } from '../stack.error.js';
import type { ServiceDeclaration } from './declarations.js';

export const MAX_INSTANCES = 10;

/** How a service is to run: stored with the stack, so that one that is started again runs the same way. */
export interface ServiceSettings {
  readonly instances: number;
  /** Added to the service's own environment. */
  readonly env: Env;
}

/** URLs of a service's instances. @throws StackError WRONG_SETTINGS where there are too many. */
export const instanceUrls = (env: Env, { name, port }: ServiceDeclaration, instances: number): string[] => {
  if (!Number.isInteger(instances) || instances < 0 || instances > MAX_INSTANCES) {
    throw new StackError(
      'WRONG_SETTINGS',
      `${name} can run in 0 to ${MAX_INSTANCES} instances, not ${instances}.`,
    );
  }
  return Array.from({ length: instances }, (_, i) => `http://${HOST}:${portOf(env, port) + i}`);
};

/** The instances of a service, one process each: `order-service-1`, `order-service-2`, … */
export const serviceInstances = (
  context: NativeContext,
  declaration: ServiceDeclaration,
  settings: ServiceSettings,
  at: StackAddresses,
): Part[] =>
  instanceUrls(context.env, declaration, settings.instances).map((url, i) => {
    const name = `${declaration.name}-${i + 1}`;
    const port = new URL(url).port;
    return part(context.records, {
      name,
      log: context.state.log(name),
      ports: [Number(port)],
      address: url,
      healthTimeoutMs: 120_000,
      stopTimeoutMs: 20_000,
      check: (signal) => expectOk(`${url}/health/ready`, signal),
      command: async () => ({
        argv: [process.execPath, ...declaration.command],
        cwd: context.root,
        env: { NODE_ENV: 'production', ...declaration.env(at), ...settings.env, HOST, PORT: port },
      }),
    });
  });
