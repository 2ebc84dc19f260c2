import 'reflect-metadata';
import { contracts, eventContract, OrderCancelled, OrderPlaced, StockReserved } from '@millrace/schemas';
import { Injectable, Module, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { describe, expect, test } from 'vitest';
import type { MessageContext } from '../message-bus.js';
import { Subscribe } from './subscribe.decorator.js';
import { SubscriptionExplorer } from './subscription.explorer.js';

@Injectable()
class Greeter {
  greet(id: string): string {
    return `hello ${id}`;
  }
}

@Injectable()
class OrderEvents {
  readonly seen: string[] = [];

  constructor(private readonly greeter: Greeter) {}

  @Subscribe(OrderPlaced)
  async placed(event: OrderPlaced, context: MessageContext): Promise<void> {
    this.seen.push(`${this.greeter.greet(event.orderId)} ${context.eventId}`);
  }

  @Subscribe(StockReserved)
  @Subscribe(OrderCancelled)
  async ended(event: StockReserved | OrderCancelled): Promise<void> {
    this.seen.push(`ended ${event.orderId}`);
  }
}

const Foreign = eventContract<{ readonly id: string }>({
  topic: 'foreign',
  schema: {
    type: 'record',
    name: 'Foreign',
    namespace: 'elsewhere',
    fields: [{ name: 'id', type: 'string' }],
  },
  key: ({ id }) => id,
});

@Injectable()
class OtherOrderEvents {
  @Subscribe(OrderPlaced)
  async alsoPlaced(): Promise<void> {}

  @Subscribe(Foreign)
  async foreign(): Promise<void> {}
}

async function explorer(providers: Type[]) {
  @Module({ imports: [DiscoveryModule], providers: [...providers, SubscriptionExplorer] })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  return { app, find: () => app.get(SubscriptionExplorer).find(contracts) };
}

describe('@Subscribe', () => {
  test('methods are found, and called on their provider', async () => {
    const { app, find } = await explorer([Greeter, OrderEvents]);
    const handlers = new Map(find().map(({ contract, handler }) => [contract.name, handler]));
    expect([...handlers.keys()].sort()).toEqual([
      'millrace.inventory.StockReserved',
      'millrace.orders.OrderCancelled',
      'millrace.orders.OrderPlaced',
    ]);
    await handlers.get(OrderPlaced.name)?.({ orderId: '7' } as never, { eventId: 'e' } as MessageContext);
    await handlers.get(OrderCancelled.name)?.({ orderId: '8' } as never, {} as MessageContext);
    expect(app.get(OrderEvents).seen).toEqual(['hello 7 e', 'ended 8']);
    await app.close();
  });

  test('two methods for one event, and a contract that the schemas do not have, are told together', async () => {
    const { app, find } = await explorer([Greeter, OrderEvents, OtherOrderEvents]);
    expect(find).toThrow(
      'OrderEvents.placed and OtherOrderEvents.alsoPlaced both subscribe to millrace.orders.OrderPlaced',
    );
    expect(find).toThrow('OtherOrderEvents.foreign subscribes to elsewhere.Foreign, which is not among');
    await app.close();
  });
});

/** What must not compile: the type checker reports a directive that suppresses nothing. */
export class WrongSubscriptions {
  // @ts-expect-error: the method of another event
  @Subscribe(OrderPlaced)
  async another(_: StockReserved): Promise<void> {}

  // @ts-expect-error: a method that cannot tell when it is done
  @Subscribe(OrderPlaced)
  atOnce(_: OrderPlaced): void {}
}
