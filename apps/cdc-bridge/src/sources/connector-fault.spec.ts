import { expect, it } from 'vitest';
import { connectorFault, describeFault } from './connector-fault.js';

const failed = (trace: string) => ({
  connector: { state: 'RUNNING' },
  tasks: [{ state: 'FAILED', trace }],
});
const captured = ['public.orders', 'public.orders_archive', 'public.x"; DROP'];

it('tells the innermost cause and the table that the trace names', () => {
  const trace =
    'ConnectException: stopped\n\tat a.b\nCaused by: DataException: no field in orders-changes.public.orders_archive.Value\n\tat c.d';
  expect(connectorFault(failed(trace), captured)).toEqual({
    text: 'DataException: no field in orders-changes.public.orders_archive.Value',
    table: 'public.orders_archive',
  });
  expect(connectorFault(failed('Boom: "public"."orders"'), captured)?.table).toBe('public.orders');
  expect(connectorFault(failed('Boom'), captured)).toEqual({ text: 'Boom', table: null });
  expect(connectorFault({ connector: { state: 'RUNNING' }, tasks: [] }, captured)).toBeUndefined();
});

it('does not show the document that MongoDB tells of', () => {
  const trace =
    "MongoCommandException: error 10334 (BSONObjectTooLarge): 'BSONObj size: 18874869 is invalid. First element: event: { secret: 1 }'";
  expect(connectorFault(failed(trace), captured)?.text).toBe(
    "MongoCommandException: error 10334 (BSONObjectTooLarge): 'BSONObj size: 18874869 is invalid.",
  );
});

it('says how to take the table out once starting again has not helped', () => {
  const fault = { text: 'Boom', table: 'public.orders' };
  expect(describeFault('orders-changes', fault, false)).toBe(
    'the connector orders-changes has failed at public.orders: Boom; it is started again',
  );
  expect(describeFault('orders-changes', fault, true)).toContain('take public.orders out of the pipelines');
});
