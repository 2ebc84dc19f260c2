/**
 * A value that the other side cannot hold exactly. Never mended silently: the caller parks the key or
 * dead-letters the record, with this message.
 */
export class ValueFault extends Error {
  readonly code = 'VALUE_NOT_REPRESENTABLE';
  readonly canRetry = false;
}

/** What the work gives; undefined where that is a fault of a value. @throws whatever else it throws */
export function unlessFault<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ValueFault) return undefined;
    throw error;
  }
}
