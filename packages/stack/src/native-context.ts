import { join } from 'node:path';
import type { Jit } from './jvm.js';
import type { ProcessRecords } from './processes/process-record.js';
import type { Runtimes } from './runtimes/index.js';
import type { Env } from './settings/stack-env.js';
import type { StateFolder } from './state/state-folder.js';

/** What every part of a native stack is made from. */
export interface NativeContext {
  readonly root: string;
  readonly state: StateFolder;
  readonly records: ProcessRecords;
  /** `infra/stack.env` with the block of ports moved to this stack's base. */
  readonly env: Env;
  /** Asked for only when something is to be started. */
  readonly runtimes: () => Promise<Runtimes>;
  readonly jit: Jit;
  /** Where JVMs keep class-data archives: once per user, like the programs. */
  readonly archives: string;
}

export const infraFile = (context: NativeContext, ...path: string[]): string =>
  join(context.root, 'infra', ...path);
