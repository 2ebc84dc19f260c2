import type { DeployStep } from './deploy-step.js';
import type { Machine } from './preflight/machine.js';
import type { FindRuntimes } from './programs.js';
import type { StackWishes } from './settings/decide-settings.js';
import type { StackEndpoints } from './settings/endpoints.js';
import type { OnProgress } from './tree/start-tree.js';

export interface StackOptions extends StackWishes {
  /** The checkout. */
  readonly root: string;
  /** Holds state, data and logs of this stack alone. Default: `.millrace` in the checkout. */
  readonly stateDir?: string;
  /** What `stack.json` calls it. Default: `dev`. */
  readonly name?: string;
  /** Run between infrastructure and services at every `up`. */
  readonly deploySteps?: readonly DeployStep[];
  readonly onProgress?: OnProgress;
  /** Default: found on this machine, or fetched. */
  readonly findRuntimes?: FindRuntimes;
  /** Default: measured. */
  readonly readMachine?: (folder: string) => Promise<Machine>;
}

export interface UpOptions {
  /** Aborted: what this call started is stopped, and its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Leaves deploy steps and services out. */
  readonly infraOnly?: boolean;
}

export interface UpResult {
  readonly endpoints: StackEndpoints;
  /** Names of the processes that this call started: none when all of them ran. */
  readonly started: readonly string[];
}
