import type { AnyEventContract } from '@millrace/schemas';
import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { EventHandler, Handler } from '../message-bus.js';
import { subscribedContracts } from './subscribe.decorator.js';

/** Finds every `@Subscribe` method among the application's providers. */
@Injectable()
export class SubscriptionExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /**
   * @param known the contracts that there are
   * @throws Error naming each subscription that cannot be: two methods for one contract, or an unknown contract
   */
  find(known: readonly AnyEventContract[]): EventHandler[] {
    const faults: string[] = [];
    const found = new Map<string, { readonly method: string; readonly handler: EventHandler }>();
    for (const { contract, method, handler } of this.#subscriptions()) {
      const other = found.get(contract.name);
      if (!known.includes(contract))
        faults.push(
          `${method} subscribes to ${contract.name}, which is not among the contracts: declare it in @millrace/schemas`,
        );
      else if (other)
        faults.push(
          `${other.method} and ${method} both subscribe to ${contract.name}: call one from the other`,
        );
      else found.set(contract.name, { method, handler: { contract, handler } as unknown as EventHandler });
    }
    if (faults.length > 0) throw new Error(`Subscriptions that cannot be:\n- ${faults.join('\n- ')}`);
    return [...found.values()].map(({ handler }) => handler);
  }

  *#subscriptions() {
    for (const { instance } of this.discovery.getProviders()) {
      if (instance === null || typeof instance !== 'object') continue;
      const prototype: object = Object.getPrototypeOf(instance) ?? Object.prototype;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const target: unknown = (instance as Record<string, unknown>)[name];
        if (typeof target !== 'function') continue;
        for (const contract of subscribedContracts(target)) {
          const method = `${instance.constructor.name}.${name}`;
          const handler: Handler<unknown> = (event, context) => target.call(instance, event, context);
          yield { contract, method, handler };
        }
      }
    }
  }
}
