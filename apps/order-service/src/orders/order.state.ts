/**
 * The life of an order:
 *
 * ```
 * placed ──► confirmed ──► cancelled
 *   ├──────► rejected
 *   ├──────► cancelled
 *   └──────► expired
 * ```
 *
 * `rejected`, `cancelled` and `expired` are final. `confirmed` can still be cancelled.
 */
export const orderStatuses = ['placed', 'confirmed', 'rejected', 'cancelled', 'expired'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** What can happen to an order after it was placed. */
export const orderTriggers = ['stockReserved', 'stockRejected', 'cancel', 'expire'] as const;
export type OrderTrigger = (typeof orderTriggers)[number];

const transitions: Readonly<Record<OrderStatus, Partial<Record<OrderTrigger, OrderStatus>>>> = {
  placed: { stockReserved: 'confirmed', stockRejected: 'rejected', cancel: 'cancelled', expire: 'expired' },
  confirmed: { cancel: 'cancelled' },
  rejected: {},
  cancelled: {},
  expired: {},
};

/** The status that follows, or undefined where the trigger changes nothing. */
export function nextStatus(status: OrderStatus, trigger: OrderTrigger): OrderStatus | undefined {
  return transitions[status][trigger];
}

/** Whether no trigger can change an order in this status any more. */
export function isFinal(status: OrderStatus): boolean {
  return Object.keys(transitions[status]).length === 0;
}
