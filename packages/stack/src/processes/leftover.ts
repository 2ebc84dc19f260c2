import { ManagedProcess } from './managed-process.js';
import type { ProcessRecords } from './process-record.js';

/** A process on record that nothing describes any more: all that can be done with it is to end it. */
export const leftover = (records: ProcessRecords, name: string): ManagedProcess =>
  new ManagedProcess(
    {
      name,
      log: '',
      command: () => Promise.reject(new Error(`${name} is no longer part of the stack`)),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 20_000,
    },
    records,
  );
