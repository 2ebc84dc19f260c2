import type { Part } from './processes/part.js';
import { reasonOf } from './stack.error.js';

export interface PartStatus {
  readonly name: string;
  readonly address: string;
  readonly log: string;
  readonly pid?: number;
  /** Why it does not work, where it runs. */
  readonly fault?: string;
  readonly residentBytes: number;
}

const CHECK_WITHIN_MS = 5_000;

/** Whether a part runs, what its health check says, and its memory. */
export const statusOf = async ({ name, address, process, resource, memory }: Part): Promise<PartStatus> => {
  const running = await process.running();
  const base = { name, address, log: process.definition.log };
  if (!running) return { ...base, residentBytes: 0 };
  const [fault, residentBytes] = await Promise.all([faultOf(resource), memory(running.pid)]);
  return { ...base, pid: running.pid, residentBytes, ...(fault && { fault }) };
};

const faultOf = (resource: Part['resource']): Promise<string | undefined> =>
  resource.healthy(AbortSignal.timeout(CHECK_WITHIN_MS)).then(
    () => undefined,
    (error: unknown) => reasonOf(error),
  );
