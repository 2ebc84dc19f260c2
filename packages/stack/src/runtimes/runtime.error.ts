/** Why a program that the stack needs cannot be had. */
export type RuntimeErrorCode =
  | 'NO_JAVA'
  | 'NO_MONGOD'
  | 'NO_POSTGRES'
  | 'BAD_MONGOD_BINARY'
  | 'FETCH_FAILED'
  | 'NO_SPACE'
  | 'CACHE_NOT_WRITABLE';

/** One sentence that names what is missing and the fix; nothing has been started when it is thrown. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';

  constructor(
    readonly code: RuntimeErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The first line of an error's message, for use inside another sentence. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
