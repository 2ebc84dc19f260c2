import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

const hooks = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;
type Hooked = Partial<Record<(typeof hooks)[number], (signal?: string) => unknown>>;

/**
 * Watches the shutdown hooks of every provider and controller.
 *
 * @returns the hooks that have begun and not ended, for example `OrdersDatabase.onModuleDestroy`
 */
export function watchShutdownHooks(app: INestApplicationContext): () => string[] {
  const discovery = app.get(DiscoveryService, { strict: false });
  const instances = new Set<Hooked>();
  for (const { instance } of [...discovery.getProviders(), ...discovery.getControllers()]) {
    if (typeof instance === 'object' && instance !== null && Object.isExtensible(instance)) {
      instances.add(instance);
    }
  }
  const running = new Set<string>();
  for (const instance of instances) {
    for (const hook of hooks) {
      watch(instance, hook, running);
    }
  }
  return () => [...running];
}

function watch(instance: Hooked, hook: (typeof hooks)[number], running: Set<string>): void {
  const original = instance[hook];
  if (typeof original !== 'function') {
    return;
  }
  const name = `${instance.constructor?.name ?? 'provider'}.${hook}`;
  instance[hook] = async (signal) => {
    running.add(name);
    try {
      await original.call(instance, signal);
    } finally {
      running.delete(name);
    }
  };
}
