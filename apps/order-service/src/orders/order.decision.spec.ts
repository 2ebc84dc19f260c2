import { OrderCancelled, OrderConfirmed, OrderExpired, OrderPlaced, OrderRejected } from '@millrace/schemas';
import { describe, expect, test } from 'vitest';
import { decide, describeShortages, type Occurrence, placed } from './order.decision.js';
import { asPlaced, type Order, placeOrder } from './order.js';
import type { OrderStatus } from './order.state.js';

const then = new Date('2025-11-21T10:00:00.000Z');
const now = new Date('2025-11-21T10:00:01.500Z');
const ids = { orderId: 'o-1', customerId: 'c-1' };

const order = (status: OrderStatus): Order => ({
  ...placeOrder(
    { customerId: 'c-1', currency: 'EUR', lines: [{ sku: 'tea', quantity: 3, unitPrice: '0.1' }] },
    'o-1',
    then,
  ),
  status,
});

const given = (status: OrderStatus) => ({
  when: (occurrence: Occurrence) => {
    const change = decide(order(status), occurrence, now);
    return {
      thenChange: (expected: {
        status: OrderStatus;
        reason?: string;
        emits: unknown;
        as: { name: string };
      }) => {
        expect(change?.order).toMatchObject({
          status: expected.status,
          reason: expected.reason ?? null,
          placedAt: then,
          updatedAt: now,
        });
        expect(change?.emits.contract.name).toBe(expected.as.name);
        expect(change?.emits.event).toEqual(expected.emits);
      },
      thenNothing: () => expect(change).toBeUndefined(),
    };
  },
});

describe('an order', () => {
  test('tells that it was placed, with amounts of four digits and their exact sum', () => {
    const { contract, event } = placed(
      placeOrder(
        {
          customerId: 'c-1',
          currency: 'EUR',
          lines: [
            { sku: 'tea', quantity: 3, unitPrice: '0.1' },
            { sku: 'ship', quantity: 2, unitPrice: '99999999999999.9999' },
          ],
        },
        'o-1',
        then,
      ),
    );
    expect(contract.name).toBe(OrderPlaced.name);
    expect(event).toEqual({
      ...ids,
      currency: 'EUR',
      lines: [
        { sku: 'tea', quantity: 3, unitPrice: '0.1000' },
        { sku: 'ship', quantity: 2, unitPrice: '99999999999999.9999' },
      ],
      total: '200000000000000.2998',
      placedAt: then,
    });
  });

  test('is shown to retries as it was placed, whatever happened since', () => {
    const change = decide(order('placed'), { trigger: 'stockRejected', reason: 'none left' }, now);
    expect(asPlaced({ ...order('placed'), ...change?.order })).toEqual(order('placed'));
  });

  test('placed, stock reserved: confirmed', () =>
    given('placed')
      .when({ trigger: 'stockReserved' })
      .thenChange({ status: 'confirmed', as: OrderConfirmed, emits: { ...ids, confirmedAt: now } }));

  test('placed, stock short: rejected with the reason', () =>
    given('placed')
      .when({ trigger: 'stockRejected', reason: 'none left' })
      .thenChange({
        status: 'rejected',
        reason: 'none left',
        as: OrderRejected,
        emits: { ...ids, reason: 'none left', rejectedAt: now },
      }));

  test('placed, unanswered: expired', () =>
    given('placed')
      .when({ trigger: 'expire' })
      .thenChange({ status: 'expired', as: OrderExpired, emits: { ...ids, expiredAt: now } }));

  test.each(['placed', 'confirmed'] as const)('%s, cancelled: cancelled', (status) =>
    given(status)
      .when({ trigger: 'cancel' })
      .thenChange({ status: 'cancelled', as: OrderCancelled, emits: { ...ids, cancelledAt: now } }),
  );

  test.each(['cancelled', 'expired', 'rejected'] as const)('%s, a late reply: nothing', (status) => {
    given(status).when({ trigger: 'stockReserved' }).thenNothing();
    given(status).when({ trigger: 'stockRejected', reason: 'none left' }).thenNothing();
  });
});

test('a rejection names each SKU that was short', () => {
  const shortages = [
    { sku: 'tea', requested: 3, available: 1, stockVersion: 7n },
    { sku: 'ship', requested: 2, available: 0, stockVersion: 0n },
  ];
  expect(describeShortages({ orderId: 'o-1', shortages, rejectedAt: now })).toBe(
    'not enough stock (tea: 3 wanted, 1 available; ship: 2 wanted, 0 available)',
  );
});
