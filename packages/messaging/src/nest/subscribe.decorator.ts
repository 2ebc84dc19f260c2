import 'reflect-metadata';
import type { EventContract } from '@millrace/schemas';
import type { MessageContext } from '../message-bus.js';

const SUBSCRIPTIONS = Symbol('millrace:subscriptions');

type HandlerMethod<T> = (event: T, context: MessageContext) => Promise<void>;

/**
 * Hands every event of a contract to this provider method: `@Subscribe(OrderPlaced)` on
 * `(event: OrderPlaced, context: MessageContext) => Promise<void>`; another event's method does not compile.
 * What `MessageBus.subscribe` promises of handlers holds here.
 */
export function Subscribe<T>(contract: EventContract<T>) {
  return <M extends HandlerMethod<T>>(
    _prototype: object,
    _name: string | symbol,
    method: TypedPropertyDescriptor<M>,
  ): void => {
    const target = method.value as object;
    Reflect.defineMetadata(SUBSCRIPTIONS, [...subscribedContracts(target), contract], target);
  };
}

/** The contracts that a method is decorated with. */
export function subscribedContracts(method: object): readonly EventContract<unknown>[] {
  return Reflect.getMetadata(SUBSCRIPTIONS, method) ?? [];
}
