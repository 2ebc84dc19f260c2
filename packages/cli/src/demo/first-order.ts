import { eventually, type RunningSystem } from '@millrace/testing';
import { commandAge } from './command-age.js';
import type { Story } from './story.js';

/**
 * Places one order and shows each step that it takes through both databases and both topics.
 * Returns how long after the command it was confirmed, in milliseconds.
 */
export async function tellFirstOrder(system: RunningSystem, story: Story, run: string): Promise<number> {
  const sku = `${run}-SKU`;
  story.step('Ten pieces are put on hand: inventory-service writes a document.');
  story.evidence({ 'PUT /stock/:sku': await system.putStock(sku, 10) });

  story.step('An order is placed: order-service writes order, lines, history and outbox in one transaction.');
  const order = await system.place({
    customerId: `${run}-customer`,
    currency: 'EUR',
    lines: [{ sku, quantity: 3, unitPrice: '19.99' }],
  });
  story.evidence({ 'POST /orders': order });

  const confirmed = await eventually(`order ${order.id} to be confirmed`, 60_000, async () => {
    const now = await system.order(order.id);
    return now.status === 'confirmed' ? now : undefined;
  });
  const age = await commandAge();
  const records = await eventually('all its events to be in the log', 30_000, async () => {
    const found = await system.events((key) => key === order.id);
    return found.length >= 3 ? found : undefined;
  });
  for (const record of records.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
    story.step(`${record.type} is on ${record.topic}.`);
    story.evidence({
      where: `partition ${record.partition}, offset ${record.offset}`,
      key: record.key,
      'event id': record.eventId,
      event: record.event,
    });
  }

  story.step(`The order is ${confirmed.status}.`);
  story.evidence({
    'Postgres, orders': await system.orderRow(order.id),
    'Postgres, order_history': await system.historyRows(order.id),
    'MongoDB, stock': await system.stockDocument(sku),
    'MongoDB, reservations': await system.reservationDocument(order.id),
  });
  return age;
}
