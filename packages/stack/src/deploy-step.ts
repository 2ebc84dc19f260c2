import type { StackAddresses } from './settings/endpoints.js';

/** A piece of the deployment that the stack itself knows nothing about; must be repeatable. */
export interface DeployStep {
  readonly name: string;
  /** Names of what must be ready before it. */
  readonly after: readonly string[];
  /** The part whose log tells more when it fails. */
  readonly log: string;
  /** Whether services start only behind it. */
  readonly gatesServices: boolean;
  readonly run: (at: StackAddresses, signal: AbortSignal) => Promise<void>;
}
