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

it('takes no package, class or longer name for a table or a collection', () => {
  const trace = `org.apache.kafka.connect.errors.ConnectException: An exception occurred
\tat io.debezium.connector.mongodb.events.BufferingChangeStreamCursor.next(BufferingChangeStreamCursor.java:90)
\tat shop.events.Reader.run(Reader.java:1)
\t... 5 more
Caused by: shop.errors.ReadException: no pre-image in shop.events-archive, x-changes.shop.data2, myshop.data
\tat org.apache.kafka.connect.util.Callback.run(Callback.java:1)`;
  const collections = ['events', 'errors', 'connect', 'data', 'util', 'events-archive'];
  expect(connectorFault(failed(trace), collections.slice(0, 5), 'shop')?.table).toBeNull();
  expect(connectorFault(failed(trace), collections, 'shop')?.table).toBe('events-archive');
  const named = `${trace}\nCaused by: Boom: x-changes.shop.data.Value`;
  expect(connectorFault(failed(named), collections.slice(0, 5), 'shop')?.table).toBe('data');
  expect(connectorFault(failed('Boom: public.orders2'), captured)?.table).toBeNull();
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
