import { RuntimeError, StackError } from '@millrace/stack';
import { DemoError } from './demo/demo.error.js';
import { PipelinesError } from './pipelines/pipelines.error.js';

/** Ends the program with one sentence for a fault that its user can mend, with everything for any other. */
export const reportFault = (error: unknown): void => {
  const expected = [StackError, RuntimeError, DemoError, PipelinesError].some(
    (known) => error instanceof known,
  );
  console.error(expected ? (error as Error).message : error);
  // What was interrupted may still be under way, and would keep the program alive.
  if (error instanceof StackError && error.code === 'INTERRUPTED') process.exit(130);
  process.exitCode = 1;
};
