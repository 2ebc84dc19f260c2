import { isPortFree } from '../settings/port-base.js';
import { StackError } from '../stack.error.js';

export interface PortNeed {
  readonly port: number;
  readonly by: string;
}

/** @throws StackError BUSY_PORT, one sentence that names the port, who needs it and the fix. */
export const assertPortsFree = async (needs: readonly PortNeed[], isFree = isPortFree): Promise<void> => {
  const free = await Promise.all(needs.map(({ port }) => isFree(port)));
  const busy = needs.filter((_, i) => !free[i]);
  const [first, ...others] = busy;
  if (!first) return;
  const more =
    others.length === 0 ? '' : ` (and ${others.map(({ port, by }) => `${port} for ${by}`).join(', ')})`;
  throw new StackError(
    'BUSY_PORT',
    `Port ${first.port}, which ${first.by} needs, is in use by another program${more}: ` +
      'end that program, or set MILLRACE_PORT_BASE to the start of 100 free ports.',
  );
};
