import { eventually } from '@millrace/testing';
import { expect, inject, it, onTestFinished } from 'vitest';
import { flowWhile } from '../support/flowing-orders.js';
import { scrape, total } from '../support/metrics.js';
import { ownStack } from '../support/own-stack.js';
import { World } from '../support/world.js';

const stack = ownStack();
const timeout = 300_000;

it('loses nothing when the broker that leads most of order.events is killed while orders flow', {
  timeout,
}, async () => {
  await using world = await World.open();
  const broker = `kafka-${await world.system.busiestBroker('order.events')}`;
  onTestFinished(() => stack.start(broker));
  await flowWhile(async () => {
    await stack.kill(broker, 'SIGKILL');
    await stack.start(broker);
  });
});

it('takes orders while two of three brokers are down, says that it waits, and catches up', {
  timeout,
}, async () => {
  await using world = await World.open();
  const sku = await world.sku(100);
  const down = ['kafka-2', 'kafka-3'];
  onTestFinished(async () => {
    await Promise.all(down.map((name) => stack.start(name)));
  });
  await Promise.all(down.map((name) => stack.kill(name, 'SIGKILL')));

  const placed = await Promise.all(Array.from({ length: 10 }, () => world.place([sku, 1])));
  const [instance = ''] = inject('stack').services['order-service'] ?? [];
  const outboxAge = async () => total(await scrape(instance), 'millrace_outbox_age_seconds');
  await eventually('the age of the outbox to grow', 60_000, async () => (await outboxAge()) > 3);
  expect((await world.system.order(placed[0]?.id ?? '')).status).toBe('placed');

  await Promise.all(down.map((name) => stack.start(name)));
  for (const { id } of placed) await world.until(id, 'confirmed', 120_000);
  await world.untilStock(sku, { onHand: 100, reserved: 10 });
  await eventually('an empty outbox', 60_000, async () => (await outboxAge()) === 0);
});
