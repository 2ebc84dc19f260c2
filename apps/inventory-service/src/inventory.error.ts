const codes = {
  /** An order event that no valid order can give: no line, or a quantity that is not above zero. */
  ORDER_INVALID: { canRetry: false },
  /** A reservation whose stock document is gone or holds less than was reserved: someone changed it by hand. */
  STOCK_CORRUPT: { canRetry: false },
  /** Other writers, or a database that is away, kept a transaction from committing for as long as it may try. */
  TRANSACTION_NOT_COMMITTED: { canRetry: true },
} as const;

export type InventoryErrorCode = keyof typeof codes;

/** What can go wrong while stock is moved. Callers branch on `code` and `canRetry` only. */
export class InventoryError extends Error {
  readonly canRetry: boolean;

  constructor(
    readonly code: InventoryErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'InventoryError';
    this.canRetry = codes[code].canRetry;
  }
}
