/**
 * What an order's stock went through, as told by the order's events:
 *
 * ```
 *            placed, enough stock            closed
 *   absent ───────────────────────▶ reserved ──────▶ released
 *     │  └─────────────────────────▶ rejected
 *     │       placed, too little
 *     └──────▶ withdrawn
 *      closed
 * ```
 *
 * `closed` is a cancellation or an expiry. Whatever is not drawn changes nothing: so stock is reserved at
 * most once and released at most once, whichever event comes late, twice or under a new id, and an order
 * that was closed before it was seen (`withdrawn`) never reserves.
 */
export const reservationStatuses = ['reserved', 'rejected', 'released', 'withdrawn'] as const;

export type ReservationStatus = (typeof reservationStatuses)[number];

/** What happened to the order. */
export type OrderStep = 'placed' | 'closed';

/** What is to be done about its stock. */
export type ReservationAction = 'reserve' | 'release' | 'withdraw' | 'nothing';

const actions: Record<OrderStep, Record<ReservationStatus | 'absent', ReservationAction>> = {
  placed: {
    absent: 'reserve',
    reserved: 'nothing',
    rejected: 'nothing',
    released: 'nothing',
    withdrawn: 'nothing',
  },
  closed: {
    absent: 'withdraw',
    reserved: 'release',
    rejected: 'nothing',
    released: 'nothing',
    withdrawn: 'nothing',
  },
};

/** @param status of the order's reservation, undefined where there is none yet */
export function decideAction(status: ReservationStatus | undefined, step: OrderStep): ReservationAction {
  return actions[step][status ?? 'absent'];
}
