export type KafkaErrorCode =
  | 'KEY_MISSING'
  | 'SEND_FAILED'
  | 'SEND_UNCONFIRMED'
  | 'BUS_CLOSED'
  | 'BATCH_UNREADABLE'
  | 'OFFSETS_UNKNOWN';

/** Branch on `code`, or on `canRetry`: whether the same call may succeed later without anyone's doing. */
export class KafkaBusError extends Error {
  constructor(
    readonly code: KafkaErrorCode,
    readonly canRetry: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'KafkaBusError';
  }
}
