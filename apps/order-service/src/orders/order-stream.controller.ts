import { Readable } from 'node:stream';
import { RequestHeader } from '@millrace/service-defaults';
import { Controller, Get, Param, Res } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { lastEventId, orderId } from './order.schemas.js';
import { viewStatusEvent } from './order.views.js';
import type { HistoryEntry } from './order-history.js';
import { OrderStreams } from './order-streams.js';

@ApiTags('orders')
@Controller('orders')
export class OrderStreamController {
  constructor(private readonly streams: OrderStreams) {}

  @Get(':id/stream')
  @ApiOperation({
    summary: "Follow an order's status",
    description:
      'Server-sent events named `status`: the current one first, then each change, until one is final. ' +
      'The data is `{orderId, status, at, eventId, type}`; the ids serve as Last-Event-ID.',
  })
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { type: 'string' } } } })
  @ApiNoContentResponse({ description: 'The client has the final status already' })
  @ApiNotFoundResponse({ description: 'No such order' })
  async stream(
    @Param('id', { schema: orderId }) id: string,
    @RequestHeader('Last-Event-ID', lastEventId) last: bigint | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const entries = await this.streams.follow(id, last, closeOf(reply));
    if (!entries) {
      await reply.code(204).send();
      return;
    }
    await reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .send(Readable.from(textOf(id, entries), { objectMode: false }));
  }
}

async function* textOf(id: string, entries: AsyncIterable<HistoryEntry | null>) {
  for await (const entry of entries) yield viewStatusEvent(id, entry);
}

/** Aborted when the connection closes, whoever closed it. */
function closeOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  if (reply.raw.destroyed || reply.raw.socket?.destroyed) closed.abort();
  else reply.raw.once('close', () => closed.abort());
  return closed.signal;
}
