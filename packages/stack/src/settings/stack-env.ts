import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { StackError } from '../stack.error.js';

export const BLOCK_SIZE = 100;

export type Env = Readonly<Record<string, string>>;

/** An env file's variables; the format is that of `node --env-file` and of Compose. */
export const readEnvFile = async (file: string): Promise<Env> =>
  parseEnv(await readFile(file, 'utf8')) as Record<string, string>;

/** `infra/stack.env`: ports, users and names for the native stack and Compose alike. */
export const readStackEnv = (root: string): Promise<Env> => readEnvFile(join(root, 'infra', 'stack.env'));

/** @throws StackError WRONG_SETTINGS where the variable is missing. */
export const required = (env: Env, name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new StackError('WRONG_SETTINGS', `${name} is missing in infra/stack.env.`);
  }
  return value;
};

/** The same variables with the block of ports moved to another base. */
export const movePorts = (env: Env, base: number): Env => {
  const declaredBase = portOf(env, 'PORT_BASE');
  const moved = Object.keys(env)
    .filter((name) => name.endsWith('_PORT'))
    .map((name) => {
      const offset = portOf(env, name) - declaredBase;
      if (offset < 0 || offset >= BLOCK_SIZE) {
        throw new StackError(
          'WRONG_SETTINGS',
          `${name} in infra/stack.env must lie in the block of ${BLOCK_SIZE} ports from PORT_BASE ${declaredBase}.`,
        );
      }
      return [name, String(base + offset)] as const;
    });
  return { ...env, ...Object.fromEntries(moved), PORT_BASE: String(base) };
};

export const portOf = (env: Env, name: string): number => {
  const port = Number(required(env, name));
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new StackError('WRONG_SETTINGS', `${name} in infra/stack.env is no port: ${env[name]}.`);
};
