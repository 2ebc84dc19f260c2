import type { Stack, StackOptions, UpOptions, UpResult } from '@millrace/stack';
import { Interrupt } from './interrupt.js';
import { plainView, progressView } from './progress-view.js';

/**
 * Starts a stack with its progress on the screen; Ctrl-C stops what was started by then.
 * @param open opens it with the options that are given
 */
export const bringUp = async (
  open: (options: Partial<StackOptions>) => Stack,
  options: Pick<UpOptions, 'infraOnly'> = {},
): Promise<UpResult> => {
  using interrupt = new Interrupt();
  let view = plainView();
  const stack = open({ onProgress: (progress) => view.onProgress(progress) });
  view = progressView(await stack.plan(options));
  try {
    const result = await stack.up({ ...options, signal: interrupt.signal });
    await view.end('not needed');
    return result;
  } catch (error) {
    await view.end('not started');
    throw error;
  }
};
