import { describe, expect, it } from 'vitest';
import {
  decideAction,
  type OrderStep,
  type ReservationStatus,
  reservationStatuses,
} from './reservation.state.js';

const drawn: [ReservationStatus | undefined, OrderStep, string][] = [
  [undefined, 'placed', 'reserve'],
  [undefined, 'closed', 'withdraw'],
  ['reserved', 'closed', 'release'],
];

describe('reservation state', () => {
  it.each(drawn)('%s, order %s: %s', (status, step, action) => {
    expect(decideAction(status, step)).toBe(action);
  });

  const others = reservationStatuses
    .flatMap((status) => (['placed', 'closed'] as const).map((step) => [status, step] as const))
    .filter(([status, step]) => !drawn.some(([from, by]) => from === status && by === step));

  it.each(others)('%s, order %s: nothing', (status, step) => {
    expect(decideAction(status, step)).toBe('nothing');
  });
});
