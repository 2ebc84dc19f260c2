import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ConsumerHealth } from './consumer-health.js';
import { MessagingLifecycle } from './messaging.lifecycle.js';
import type { MessagingAsyncOptions, MessagingOptions } from './messaging.options.js';
import { nestLog } from './nest-log.js';
import { ServiceCodec } from './service.codec.js';
import { SubscriptionExplorer } from './subscription.explorer.js';
import { CODEC, MESSAGING_OPTIONS } from './tokens.js';

/**
 * Messaging for a service: `@Subscribe` methods get their events; `CODEC` is for the service's outbox;
 * `ConsumerHealth` says why the service is not ready. Global, so that any module's providers may use them.
 */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a module with options.
export class MessagingModule {
  static forRootAsync<Args extends unknown[]>(options: MessagingAsyncOptions<Args>): DynamicModule {
    return {
      module: MessagingModule,
      global: true,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      providers: [
        { provide: MESSAGING_OPTIONS, inject: [...(options.inject ?? [])], useFactory: options.useFactory },
        {
          provide: CODEC,
          inject: [MESSAGING_OPTIONS],
          useFactory: ({ registryUrl, publishes }: MessagingOptions) =>
            new ServiceCodec(registryUrl, publishes, nestLog('Messaging')),
        },
        ConsumerHealth,
        SubscriptionExplorer,
        MessagingLifecycle,
      ],
      exports: [CODEC, ConsumerHealth],
    };
  }
}
