import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readiness } from './readiness.js';

@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process runs and its event loop turns; depends on nothing outside. */
  @Get('live')
  live(): object {
    return { status: 'live' };
  }

  /** 200 when requests can be taken, else 503 with every reason; notes, where there are any, with both. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const [reasons, told] = await Promise.all([this.readiness.reasons(), this.readiness.notes()]);
    const notes = told.length > 0 && { notes: told };
    if (reasons.length === 0) {
      return { status: 'ready', reasons, ...notes };
    }
    reply.code(503);
    return { status: 'not ready', reasons, ...notes };
  }
}
