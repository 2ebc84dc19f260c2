/**
 * A value that the other side cannot hold exactly. Never mended silently: the caller parks the key or
 * dead-letters the record, with this message.
 */
export class ValueFault extends Error {
  readonly code = 'VALUE_NOT_REPRESENTABLE';
  readonly canRetry = false;
}
