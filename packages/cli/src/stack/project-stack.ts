import { openStack, parsePortBase, type Stack, type StackOptions } from '@millrace/stack';
import { deploySteps } from '../deploy/deploy-steps.js';
import { PROJECT_ROOT } from '../project.js';

/** This project's stack, with its topics, schemas and connectors. Options name what differs from `stack up`'s. */
export const openProjectStack = (options: Partial<StackOptions> = {}): Stack =>
  openStack({ root: PROJECT_ROOT, deploySteps, ...options });

/**
 * The stack for daily work: in `.millrace`, or the folder that MILLRACE_STATE_DIR names; on the port base that
 * MILLRACE_PORT_BASE names if it is set.
 */
export const openDevStack = (options: Partial<StackOptions> = {}): Stack => {
  const { MILLRACE_PORT_BASE: base, MILLRACE_STATE_DIR: stateDir } = process.env;
  return openProjectStack({
    ...(base && { portBase: parsePortBase(base) }),
    ...(stateDir && { stateDir }),
    ...options,
  });
};
