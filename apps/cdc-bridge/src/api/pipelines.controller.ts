import { CONFIG } from '@millrace/service-defaults';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiGatewayTimeoutResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { BridgeConfig } from '../config.js';
import { Bridge } from '../runner/bridge.js';
import { NotAPair } from '../runner/pipeline.service.js';
import { TwoWayService } from '../runner/two-way.service.js';
import {
  type ConflictPage,
  conflictPage,
  type ListConflicts,
  listConflicts,
  noQuery,
  type PipelineList,
  type PipelineView,
  pipelineList,
  pipelineName,
  pipelineView,
  type RepairPipeline,
  repairPipeline,
  repairView,
  replayView,
  restoredView,
  toPipelineView,
  verifyView,
} from './pipelines.api.js';
import { answering, inTime } from './refusals.js';

@ApiTags('pipelines')
@Controller('pipelines')
export class PipelinesController {
  constructor(
    private readonly bridge: Bridge,
    /** `WORK_TIMEOUT_MS` bounds what one request may set in motion. */
    @Inject(CONFIG) private readonly config: Pick<BridgeConfig, 'WORK_TIMEOUT_MS'>,
  ) {}

  @Get()
  @ApiOperation({ summary: 'How every pipeline stands' })
  @ApiOkResponse({ standardSchema: pipelineList })
  list(): Promise<PipelineList> {
    return answering(async () => {
      const statuses = [...this.bridge.services.values()].map((service) => service.status());
      return { items: (await Promise.all(statuses)).map(toPipelineView) };
    });
  }

  @Get(':name')
  @ApiOperation({ summary: 'How a pipeline stands' })
  @ApiOkResponse({ standardSchema: pipelineView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  get(@Param('name', { schema: pipelineName }) name: string): Promise<PipelineView> {
    return this.#shown(name);
  }

  @Post(':name/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let it rest, on every instance, until it is resumed' })
  @ApiOkResponse({ standardSchema: pipelineView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  async pause(@Param('name', { schema: pipelineName }) name: string): Promise<PipelineView> {
    await answering(() => this.bridge.setPaused(name, true));
    return this.#shown(name);
  }

  @Post(':name/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let it go on, on every instance' })
  @ApiOkResponse({ standardSchema: pipelineView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  async resume(@Param('name', { schema: pipelineName }) name: string): Promise<PipelineView> {
    await answering(() => this.bridge.setPaused(name, false));
    return this.#shown(name);
  }

  @Post(':name/resnapshot')
  @HttpCode(202)
  @ApiOperation({ summary: 'Read every row of the source again, while changes flow, and sweep after it' })
  @ApiAcceptedResponse({ standardSchema: pipelineView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  @ApiConflictResponse({ description: 'It does not run' })
  async resnapshot(@Param('name', { schema: pipelineName }) name: string): Promise<PipelineView> {
    await answering(() => this.bridge.service(name).resnapshot());
    return this.#shown(name);
  }

  @Post(':name/verify')
  @HttpCode(200)
  @ApiOperation({ summary: 'Compare every row of both sides, under live traffic; changes nothing' })
  @ApiOkResponse({ standardSchema: verifyView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  @ApiConflictResponse({ description: 'It does not run' })
  @ApiGatewayTimeoutResponse({ description: 'It took too long' })
  verify(@Param('name', { schema: pipelineName }) name: string): Promise<object> {
    const service = () => this.bridge.service(name);
    return answering(() => inTime(this.config.WORK_TIMEOUT_MS, (signal) => service().verify(signal)));
  }

  @Post(':name/repair')
  @HttpCode(200)
  @ApiOperation({ summary: 'Compare, and write what differs as the source has it' })
  @ApiOkResponse({ standardSchema: repairView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  @ApiConflictResponse({
    description:
      'It does not run, goes one way and was given a side, or another repair has written meanwhile',
  })
  @ApiGatewayTimeoutResponse({ description: 'It took too long' })
  repair(
    @Param('name', { schema: pipelineName }) name: string,
    @Body({ schema: repairPipeline.optional() }) body: RepairPipeline | undefined,
    @Query({ schema: noQuery }) _: object,
  ): Promise<object> {
    const service = () => this.bridge.service(name);
    return answering(() =>
      inTime(this.config.WORK_TIMEOUT_MS, (signal) => service().repair(signal, body?.from)),
    );
  }

  @Post(':name/replay')
  @HttpCode(200)
  @ApiOperation({ summary: 'Write the rows that its dead letters are of as the source has them now' })
  @ApiOkResponse({ standardSchema: replayView })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  @ApiConflictResponse({ description: 'It does not run, goes both ways, or its rows have no key' })
  @ApiGatewayTimeoutResponse({ description: 'It took too long' })
  replay(@Param('name', { schema: pipelineName }) name: string): Promise<object> {
    const service = () => this.bridge.service(name);
    return answering(() => inTime(this.config.WORK_TIMEOUT_MS, (signal) => service().replay(signal)));
  }

  @Get(':name/conflicts')
  @ApiOperation({ summary: 'What a pair has overwritten, the newest first, page by page' })
  @ApiOkResponse({ standardSchema: conflictPage })
  @ApiNotFoundResponse({ description: 'No such pipeline' })
  conflicts(
    @Param('name', { schema: pipelineName }) name: string,
    @Query({ schema: listConflicts }) { before, limit }: ListConflicts,
  ): Promise<ConflictPage> {
    return answering(async () => {
      const service = this.bridge.service(name);
      if (!(service instanceof TwoWayService)) return { items: [], nextBefore: null };
      const conflicts = await service.pair.conflicts(limit + 1, before);
      const items = conflicts.slice(0, limit).map(({ at, loser, ...conflict }) => ({
        ...conflict,
        at: at.toISOString(),
        loser: loser && { ...loser },
      }));
      return { items, nextBefore: conflicts.length > limit ? (items.at(-1)?.id ?? null) : null };
    });
  }

  @Post(':name/conflicts/:id/restore')
  @HttpCode(200)
  @ApiOperation({ summary: 'Put a loser back, as an ordinary edit of its side' })
  @ApiOkResponse({ standardSchema: restoredView })
  @ApiNotFoundResponse({ description: 'No such pipeline or conflict' })
  @ApiConflictResponse({ description: 'It goes one way, or its side does not take the loser back' })
  restore(
    @Param('name', { schema: pipelineName }) name: string,
    @Param('id', { schema: pipelineName }) id: string,
  ): Promise<object> {
    return answering(async () => {
      const service = this.bridge.service(name);
      if (!(service instanceof TwoWayService)) throw new NotAPair(name, 'it has no losers to put back');
      await service.pair.restoreLoser(id);
      return { restored: true };
    });
  }

  #shown(name: string): Promise<PipelineView> {
    return answering(async () => toPipelineView(await this.bridge.service(name).status()));
  }
}
