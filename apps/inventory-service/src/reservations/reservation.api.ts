import { z } from 'zod';
import type { ReservationDocument } from './reservation.document.js';
import { reservationStatuses } from './reservation.state.js';

export const orderId = z
  .string()
  .min(1)
  .max(100, 'must be at most 100 characters')
  .describe('Id of the order');

const quantity = z.int().describe('Pieces');
const at = z.iso.datetime();

export const reservationView = z.object({
  orderId: z.string(),
  status: z
    .enum(reservationStatuses)
    .describe('withdrawn: the order was cancelled or expired before it was seen'),
  lines: z
    .array(z.object({ sku: z.string(), quantity }))
    .describe('What was reserved, also after its release'),
  shortages: z
    .array(z.object({ sku: z.string(), requested: quantity, available: quantity }))
    .describe('Why nothing was reserved'),
  events: z
    .array(z.object({ eventId: z.string(), type: z.string(), direction: z.enum(['in', 'out']), at }))
    .describe('Events handled (in) and emitted (out) for the order, in order'),
  createdAt: at,
  updatedAt: at,
});
export type ReservationView = z.output<typeof reservationView>;

export function toReservationView(reservation: ReservationDocument): ReservationView {
  const { _id, status, lines, shortages, events, createdAt, updatedAt } = reservation;
  return {
    orderId: _id,
    status,
    // Without the versions, which are longs that JSON cannot hold.
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    shortages: shortages.map(({ sku, requested, available }) => ({ sku, requested, available })),
    events: events.map((event) => ({ ...event, at: event.at.toISOString() })),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
