import { describe, expect, test } from 'vitest';
import {
  isFinal,
  nextStatus,
  type OrderStatus,
  type OrderTrigger,
  orderStatuses,
  orderTriggers,
} from './order.state.js';

const given = (status: OrderStatus) => ({
  when: (trigger: OrderTrigger) => ({
    thenStatus: (expected: OrderStatus | 'unchanged') =>
      expect(nextStatus(status, trigger) ?? 'unchanged').toBe(expected),
  }),
});

describe('a placed order', () => {
  test('is confirmed once its stock is reserved', () =>
    given('placed').when('stockReserved').thenStatus('confirmed'));
  test('is rejected when the stock does not suffice', () =>
    given('placed').when('stockRejected').thenStatus('rejected'));
  test('can be cancelled', () => given('placed').when('cancel').thenStatus('cancelled'));
  test('expires', () => given('placed').when('expire').thenStatus('expired'));
});

describe('a confirmed order', () => {
  test('can be cancelled', () => given('confirmed').when('cancel').thenStatus('cancelled'));
  test('does not expire', () => given('confirmed').when('expire').thenStatus('unchanged'));
  test('is not confirmed again', () => given('confirmed').when('stockReserved').thenStatus('unchanged'));
  test('is not rejected any more', () => given('confirmed').when('stockRejected').thenStatus('unchanged'));
});

describe.each(['rejected', 'cancelled', 'expired'] as const)('an order that was %s', (status) => {
  test.each(orderTriggers)('stays so on %s', (trigger) =>
    given(status).when(trigger).thenStatus('unchanged'),
  );
});

test('exactly rejected, cancelled and expired are final', () => {
  expect(orderStatuses.filter(isFinal)).toEqual(['rejected', 'cancelled', 'expired']);
});
