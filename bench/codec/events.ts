import { eventContract, OrderConfirmed, OrderPlaced, type RecordSchema } from '@millrace/schemas';

/** What is measured: the smallest event, where the codec's own work shows most, and one of the usual size. */

const at = new Date('2026-11-21T10:00:00.000Z');

export const confirmed: OrderConfirmed = {
  orderId: '019a9c1e-4c1b-7a3e-9a40-1b2c3d4e5f60',
  customerId: 'customer-42',
  confirmedAt: at,
};

export const placed: OrderPlaced = {
  orderId: '019a9c1e-4c1b-7a3e-9a40-1b2c3d4e5f60',
  customerId: 'customer-42',
  currency: 'EUR',
  lines: [
    { sku: 'sku-001', quantity: 2, unitPrice: '12.5000' },
    { sku: 'sku-002', quantity: 1, unitPrice: '199.9900' },
    { sku: 'sku-003', quantity: 10, unitPrice: '0.4900' },
  ],
  total: '229.8900',
  placedAt: at,
};

/** The next version of a schema, as a writer would have it who was deployed later: a reader needs a resolver. */
export function newerVersion(schema: RecordSchema): RecordSchema {
  return {
    ...schema,
    fields: [...schema.fields, { name: 'channel', type: ['null', 'string'], default: null }],
  };
}

/** Writers of those versions, on a topic (and so under a subject) that no one else uses. */
export const newerOrderPlaced = eventContract<OrderPlaced & { channel: string | null }>({
  topic: 'bench.codec',
  schema: newerVersion(OrderPlaced.schema),
  key: (event) => event.orderId,
});

export const newerOrderConfirmed = eventContract<OrderConfirmed & { channel: string | null }>({
  topic: 'bench.codec',
  schema: newerVersion(OrderConfirmed.schema),
  key: (event) => event.orderId,
});
