export type StackErrorCode =
  | 'BUSY_PORT'
  | 'INTERRUPTED'
  | 'LOW_DISK'
  | 'LOW_MEMORY'
  | 'NOT_RUNNING'
  | 'OTHER_COMMAND'
  | 'START_FAILED'
  | 'STOP_FAILED'
  | 'UNKNOWN_NAME'
  | 'WRONG_SETTINGS';

/** A fault of the stack that its user can act on: the message names the thing and the fix. */
export class StackError extends Error {
  override readonly name = 'StackError';

  constructor(
    readonly code: StackErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The message of whatever was thrown, on one line where it fits. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(reasonOf).join('; ');
  }
  return error instanceof Error ? error.message || error.name : String(error);
};
