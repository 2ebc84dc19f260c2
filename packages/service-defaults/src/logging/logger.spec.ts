import { Logger as Nest } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import { beforeAll, expect, test } from 'vitest';
import { startTracing } from '../tracing/tracing.js';
import { createLogger } from './logger.js';
import { maskPasswords } from './mask-passwords.js';
import { NestLogger } from './nest-logger.js';

beforeAll(startTracing);

function recorder() {
  const output: string[] = [];
  const logger = createLogger({
    service: 'tiny-service',
    level: 'info',
    stream: { write: (line) => void output.push(line) },
  });
  return { logger, output, lines: () => output.map((line) => JSON.parse(line)) };
}

test('writes one JSON object a line, with level, time and service', () => {
  const { logger, output, lines } = recorder();

  logger.info({ orderId: 'o-1' }, 'order placed');

  expect(output).toEqual([expect.stringMatching(/^\{.*\}\n$/)]);
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'tiny-service',
      orderId: 'o-1',
      msg: 'order placed',
    },
  ]);
});

test('keeps a text with line breaks in one line, so that no line can be forged', () => {
  const { logger, output, lines } = recorder();
  const hostile = 'x\r\n{"level":"info","msg":"forged"}\n';

  logger.info({ name: hostile, [hostile]: 1, err: new Error(hostile) }, hostile);

  expect(output.join('').match(/[\r\n]/g)).toEqual(['\n']);
  expect(lines()[0]).toMatchObject({ msg: hostile, name: hostile });
});

test('adds the trace and span that a line belongs to', () => {
  const { logger, lines } = recorder();
  const span = trace.getTracer('spec').startSpan('work');

  context.with(trace.setSpan(context.active(), span), () => logger.info('inside'));
  logger.info('outside');

  const { traceId, spanId } = span.spanContext();
  expect(lines()[0]).toMatchObject({ trace_id: traceId, span_id: spanId });
  expect(lines()[1]).not.toHaveProperty('trace_id');
});

test('masks the password of every URL', () => {
  const { logger, output } = recorder();

  logger.error({ err: new Error('no way to mongodb://app:s3cret@127.0.0.1:27017/inventory') }, 'failed');

  expect(output[0]).toContain('mongodb://app:***@127.0.0.1:27017/inventory');
  expect(output[0]).not.toContain('s3cret');
});

test.each([
  ['postgres://u:p@h/db', 'postgres://u:***@h/db'],
  ['redis://:p@h', 'redis://:***@h'],
  ['a://u:p@h b://v:q@i', 'a://u:***@h b://v:***@i'],
  ['http://h:80/x@y', 'http://h:80/x@y'],
  ['no url: a@b', 'no url: a@b'],
])('masks %s as %s', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked);
});

test("lets Nest's Logger write details, errors and its context", () => {
  const { logger, lines } = recorder();
  Nest.overrideLogger(new NestLogger(logger));
  const orders = new Nest('Orders');

  orders.log('order expired', { orderId: 'o-1' });
  orders.error('cannot read', new Error('gone'));
  orders.error(new Error('alone'));
  orders.debug('below the level');

  expect(lines()).toMatchObject([
    { level: 'info', msg: 'order expired', orderId: 'o-1', context: 'Orders' },
    { level: 'error', msg: 'cannot read', err: { message: 'gone' }, context: 'Orders' },
    { level: 'error', err: { message: 'alone', stack: expect.stringContaining('logger.spec') } },
  ]);
});

test('leaves out what Nest reports while it wires an application', () => {
  const { logger, lines } = recorder();
  const nest = new NestLogger(logger);

  nest.log('Mapped {/orders, POST} route', 'RouterExplorer');
  nest.error('cannot resolve dependencies', 'ExceptionHandler');

  expect(lines().map(({ msg }) => msg)).toEqual(['cannot resolve dependencies']);
});
