import { RuntimeError, StackError } from '@millrace/stack';

/** Ends the program with one sentence for a fault that its user can mend, with everything for any other. */
export const reportFault = (error: unknown): void => {
  const expected = error instanceof StackError || error instanceof RuntimeError;
  console.error(expected ? error.message : error);
  process.exitCode = error instanceof StackError && error.code === 'INTERRUPTED' ? 130 : 1;
};
