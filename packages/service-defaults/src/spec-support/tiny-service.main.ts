import { Inject, Injectable, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { serviceConfig } from '../config/service.config.js';
import { CONFIG } from '../service/config.token.js';
import { runService } from '../service/run-service.js';
import { ThingsController } from './things.controller.js';

const tinyConfig = serviceConfig.extend({ HANG: z.stringbool().default(false), FAIL: z.string().optional() });

/** Starts, or fails to; ends at once, or never. */
@Injectable()
class Database implements OnModuleInit, OnModuleDestroy {
  constructor(@Inject(CONFIG) private readonly config: z.output<typeof tinyConfig>) {}

  onModuleInit(): void {
    if (this.config.FAIL) {
      throw new Error(this.config.FAIL);
    }
  }

  async onModuleDestroy(): Promise<void> {
    if (this.config.HANG) {
      await new Promise(() => {});
    }
    process.stdout.write('database closed\n');
  }
}

@Module({ controllers: [ThingsController], providers: [Database] })
class TinyModule {}

await runService({ name: 'tiny-service', module: TinyModule, config: tinyConfig });
