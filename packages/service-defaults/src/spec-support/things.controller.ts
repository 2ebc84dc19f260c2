import { once } from 'node:events';
import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  Logger,
  type MessageEvent,
  Param,
  Post,
  Query,
  Res,
  Sse,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiNotFoundResponse, ApiOkResponse } from '@nestjs/swagger';
import { context, propagation } from '@opentelemetry/api';
import type { FastifyReply } from 'fastify';
import { Observable, startWith } from 'rxjs';
import { z } from 'zod';
import { ProblemException } from '../http/problem.js';
import { RequestHeader } from '../http/request-header.decorator.js';

const thing = z.strictObject({
  name: z.string().min(1),
  parts: z.array(
    z.strictObject({ sku: z.string(), 'a/b': z.string().optional(), quantity: z.int().positive() }),
  ),
});
const stored = thing.extend({ id: z.uuid(), createdAt: z.iso.datetime() });
const list = z.object({ limit: z.coerce.number().int().max(100).default(20), cursor: z.string().optional() });

/** A route for each behaviour that a service gets from this package. */
@Controller()
export class ThingsController {
  readonly #logger = new Logger(ThingsController.name);

  @Post('things')
  @ApiCreatedResponse({ description: 'The thing', standardSchema: stored })
  create(
    @Body({ schema: thing }) body: z.output<typeof thing>,
    @RequestHeader('Idempotency-Key', z.string().min(8).describe('Makes a repeat harmless')) key: string,
  ): object {
    return { ...body, key, ...activeTrace() };
  }

  @Get('things')
  @ApiOkResponse({ standardSchema: z.array(stored) })
  list(@Query({ schema: list }) query: z.output<typeof list>): object {
    return query;
  }

  @Get('things/:id')
  @ApiOkResponse({ standardSchema: stored })
  @ApiNotFoundResponse({ description: 'No such thing' })
  get(@Param('id', { schema: z.uuid() }) id: string): object {
    throw new ProblemException({ status: 404, code: 'THING_NOT_FOUND', detail: `There is no thing ${id}.` });
  }

  @Get('trace')
  trace(): object {
    return activeTrace();
  }

  @Get('log')
  log(@Query('text') text: string): string {
    this.#logger.log(text, { url: 'postgres://orders:s3cret@127.0.0.1/orders' });
    return 'logged';
  }

  @Get('fail')
  fail(): never {
    throw new Error('cannot open /etc/secret');
  }

  @Get('half')
  half(@Res({ passthrough: true }) reply: FastifyReply): never {
    reply.raw.write('half an answer');
    throw new Error('broke off');
  }

  @Get('crash')
  crash(@Query('how') how: string): string {
    const fault = new Error('nobody handles this');
    if (how === 'throw') {
      setImmediate(() => {
        throw fault;
      });
    } else {
      void Promise.reject(fault);
    }
    return 'crashing';
  }

  /** Answers once the process is told to by SIGUSR2. */
  @Get('slow')
  async slow(@Query('size') size: string): Promise<string> {
    const told = once(process, 'SIGUSR2');
    this.#logger.log('slow request begun');
    await told;
    return 'done'.padEnd(Number(size));
  }

  /** Begins to answer at once, and ends once the process is told to by SIGUSR2. */
  @Get('download')
  async download(
    @Query('type') type: string,
    @Query('size') size: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const told = once(process, 'SIGUSR2');
    async function* parts() {
      yield 'first '.padEnd(Number(size));
      await told;
      yield 'last';
    }
    await reply.header('content-type', type).send(Readable.from(parts(), { objectMode: false }));
  }

  @Sse('stream')
  stream(): Observable<MessageEvent> {
    return new Observable<MessageEvent>(() => {}).pipe(startWith({ data: 'first' }));
  }
}

function activeTrace(): object {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}
