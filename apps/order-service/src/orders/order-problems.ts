import { ProblemException } from '@millrace/service-defaults';
import type { OrderStatus } from './order.state.js';

export const orderNotFound = (id: string) =>
  new ProblemException({ status: 404, code: 'ORDER_NOT_FOUND', detail: `There is no order ${id}.` });

export const orderNotCancellable = (id: string, status: OrderStatus) =>
  new ProblemException({
    status: 409,
    code: 'ORDER_NOT_CANCELLABLE',
    detail: `Order ${id} is ${status}: only a placed or confirmed order can be cancelled.`,
  });

export const idempotencyKeyReused = () =>
  new ProblemException({
    status: 422,
    code: 'IDEMPOTENCY_KEY_REUSED',
    detail: 'This Idempotency-Key was used for another request. Give each request a key of its own.',
    errors: [{ parameter: 'Idempotency-Key', detail: 'was used with another body' }],
  });

export const tooManyStreams = (max: number) =>
  new ProblemException({
    status: 503,
    code: 'TOO_MANY_STREAMS',
    detail: `This instance serves ${max} order streams already. Try again later, or poll the order.`,
  });

/** Events cannot be written before the registry has told the ids of their schemas. */
export const eventsUnavailable = (cause: unknown) =>
  new ProblemException({
    status: 503,
    code: 'SCHEMA_REGISTRY_UNAVAILABLE',
    detail:
      'The schema registry was not reached since the service started. Try again, with the same Idempotency-Key.',
    cause,
  });
