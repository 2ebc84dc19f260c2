import { type Resource, resource } from '../tree/resource.js';
import { logHint, tailOf } from './log-tail.js';
import { type Command, ManagedProcess } from './managed-process.js';
import type { ProcessRecords } from './process-record.js';
import { residentBytes } from './resident-bytes.js';

export interface PartDefinition {
  readonly name: string;
  readonly log: string;
  /** Every port that it listens on. */
  readonly ports: readonly number[];
  /** Where a person or a client reaches it. */
  readonly address: string;
  readonly command: (signal: AbortSignal) => Promise<Command>;
  /** Throws the reason for as long as it does not answer as it should. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  readonly healthTimeoutMs: number;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  /** The last log line of a process that ended because its killed predecessor had not quite gone. */
  readonly leftover?: RegExp;
  readonly memory?: (pid: number) => Promise<number>;
}

/** A long-running process of the stack, as a resource of the tree and with what else is known about it. */
export interface Part {
  readonly name: string;
  readonly ports: readonly number[];
  readonly address: string;
  readonly process: ManagedProcess;
  readonly resource: Resource;
  readonly memory: (pid: number) => Promise<number>;
}

export const part = (records: ProcessRecords, definition: PartDefinition): Part => {
  const { name, log, command, stopTimeoutMs, stopSignal = 'SIGTERM' } = definition;
  const process = new ManagedProcess({ name, log, command, stopTimeoutMs, stopSignal }, records);
  return {
    name,
    ports: definition.ports,
    address: definition.address,
    process,
    memory: definition.memory ?? residentBytes,
    resource: resource({
      name,
      healthTimeoutMs: definition.healthTimeoutMs,
      start: (signal) => process.start(signal),
      healthy: async (signal) => {
        await startAgainBehindLeftover(process, definition, signal);
        await process.assertRunning();
        await definition.check(signal);
      },
      hint: () => logHint(log),
      stop: () => process.stop(),
    }),
  };
};

const startAgainBehindLeftover = async (
  process: ManagedProcess,
  { leftover, log }: PartDefinition,
  signal: AbortSignal,
): Promise<void> => {
  if (!leftover || (await process.running())) return;
  const lines = await tailOf(log, 5);
  if (!lines.some((line) => leftover.test(line))) return;
  await process.start(signal);
  throw new Error(`starting again: ${lines.at(-1)}`);
};
