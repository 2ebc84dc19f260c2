import { RuntimeError, StackError } from '@millrace/stack';

/** Ends the program with one sentence for a fault that its user can mend, with everything for any other. */
export const reportFault = (error: unknown): void => {
  const expected = error instanceof StackError || error instanceof RuntimeError;
  console.error(expected ? error.message : error);
  // What was interrupted may still be under way, and would keep the program alive.
  if (error instanceof StackError && error.code === 'INTERRUPTED') process.exit(130);
  process.exitCode = 1;
};
