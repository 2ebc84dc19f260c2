import { afterEach, describe, it } from 'vitest';
import { flowWhile } from '../support/flowing-orders.js';
import { outboxConnectors } from '../support/outbox-connectors.js';
import { ownStack } from '../support/own-stack.js';
import { World } from '../support/world.js';

const stack = ownStack();
/** Connect waits up to a minute for the transaction of a task that was killed. */
const timeout = 300_000;

describe('Connect', () => {
  afterEach(() => stack.start('connect'));

  it('loses nothing when it is killed and started again while orders flow', { timeout }, () =>
    flowWhile(async () => {
      await stack.kill('connect', 'SIGKILL');
      await stack.start('connect');
    }),
  );

  it('loses nothing when it is restarted in good order while orders flow', { timeout }, () =>
    flowWhile(async () => {
      await stack.stop('connect');
      await stack.start('connect');
    }),
  );
});

describe.each(outboxConnectors)('$name', (connector) => {
  afterEach(() => connector.deploy());

  it('publishes what was written before it existed', async () => {
    await using world = await World.open();
    const sku = await world.sku(5);
    await connector.removeWithoutTrace();
    const { id } = await world.place([sku, 2]);
    await connector.deploy();
    await world.until(id, 'confirmed');
    await world.untilStock(sku, { onHand: 5, reserved: 2 });
  });

  it('publishes what was written while its offsets were gone', async () => {
    await using world = await World.open();
    const sku = await world.sku(5);
    await connector.loseOffsets();
    const { id } = await world.place([sku, 2]);
    await connector.deploy();
    await world.until(id, 'confirmed');
    await world.untilStock(sku, { onHand: 5, reserved: 2 });
  });
});
