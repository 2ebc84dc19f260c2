import { DEFAULT_JIT, type Jit } from '../jvm.js';
import { SERVICES } from '../services/declarations.js';
import type { ServiceSettings } from '../services/service.js';
import { StackError } from '../stack.error.js';
import { pickPortBase } from './port-base.js';
import { type Env, portOf } from './stack-env.js';
import type { StoredSettings } from './stored-settings.js';

/** What the caller asks for; what is left out stays as it was at the last `up`. */
export interface StackWishes {
  /** First port of the stack's block. Default: picked at the first `up`. */
  readonly portBase?: number | undefined;
  /** How the JVMs compile. Default: quick. */
  readonly jit?: Jit | undefined;
  /** Instances by service. Default: one each. */
  readonly instances?: Readonly<Record<string, number>> | undefined;
  /** Added to a service's environment, by service. */
  readonly serviceEnv?: Readonly<Record<string, Env>> | undefined;
}

/** @throws StackError UNKNOWN_NAME for a service that there is not, BUSY_PORT where no block is free. */
export const decideSettings = async (
  wishes: StackWishes,
  stored: StoredSettings | undefined,
  env: Env,
  path: string,
): Promise<StoredSettings> => {
  assertServices([...Object.keys(wishes.instances ?? {}), ...Object.keys(wishes.serviceEnv ?? {})]);
  const declaredBase = portOf(env, 'PORT_BASE');
  const ports = Object.keys(env).filter((name) => name.endsWith('_PORT'));
  const offsets = ports.map((name) => portOf(env, name) - declaredBase);
  return {
    portBase: wishes.portBase ?? stored?.portBase ?? (await pickPortBase(path, offsets)),
    jit: wishes.jit ?? stored?.jit ?? DEFAULT_JIT,
    services: Object.fromEntries(
      SERVICES.map(({ name }) => [name, serviceSettings(wishes, stored?.services[name], name)]),
    ),
  };
};

/** @throws StackError WRONG_SETTINGS for what a stack cannot change while it runs. */
export const assertKept = (running: StoredSettings, wanted: StoredSettings): void => {
  const [name, from, to] =
    running.portBase === wanted.portBase
      ? ['--jit', running.jit, wanted.jit]
      : ['port base', running.portBase, wanted.portBase];
  if (from === to) return;
  throw new StackError(
    'WRONG_SETTINGS',
    `The stack runs with ${name} ${from}: stop it with stack down before it starts with ${to}.`,
  );
};

const serviceSettings = (
  wishes: StackWishes,
  stored: ServiceSettings | undefined,
  name: string,
): ServiceSettings => ({
  instances: wishes.instances?.[name] ?? stored?.instances ?? 1,
  env: wishes.serviceEnv?.[name] ?? stored?.env ?? {},
});

const assertServices = (names: readonly string[]): void => {
  const known = SERVICES.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (!unknown) return;
  throw new StackError('UNKNOWN_NAME', `There is no service "${unknown}". There are: ${known.join(', ')}.`);
};
