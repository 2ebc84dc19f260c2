import type { NativeContext } from '../native-context.js';
import { runOnce } from '../processes/run-once.js';
import type { StackEndpoints } from '../settings/endpoints.js';
import { type Resource, step } from '../tree/resource.js';
import type { ServiceDeclaration } from './declarations.js';

export const migrationName = ({ name }: ServiceDeclaration): string => `${name}-migrations`;

/** Runs a service's migrations as its database's owner. */
export const migration = (
  context: NativeContext,
  declaration: ServiceDeclaration,
  at: Pick<StackEndpoints, 'kafka' | 'registry' | 'connect' | 'databases'>,
): Resource => {
  const name = migrationName(declaration);
  const { script, env } = declaration.migration;
  const run = {
    name,
    log: context.state.log(name),
    argv: [process.execPath, script] as [string, string],
    cwd: context.root,
    env: env(at),
    timeoutMs: 180_000,
  };
  return step(name, (signal) => runOnce(context.records, run, signal));
};
