import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyService } from '../spec-support/start-tiny-service.js';

let service: Awaited<ReturnType<typeof createTinyService>>;

beforeAll(async () => {
  service = await createTinyService();
});
afterAll(() => service.app.close());

const caller = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const ofCaller = /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/;

test("runs the handler within a span of the caller's trace and names it in the answer", async () => {
  const answer = await service.app.inject({ url: '/trace', headers: { traceparent: caller } });

  expect(answer.headers.traceparent).toMatch(ofCaller);
  expect(answer.json()).toEqual({ traceparent: answer.headers.traceparent });
});

test('keeps the trace while a body is read from the network', async () => {
  await service.app.listen(0, '127.0.0.1');
  const answer = await fetch(`${await service.app.getUrl()}/things`, {
    method: 'POST',
    headers: { traceparent: caller, 'content-type': 'application/json', 'idempotency-key': 'abcdefgh' },
    body: JSON.stringify({ name: 'x'.repeat(100_000), parts: [] }),
  });

  expect(answer.status).toBe(201);
  expect((await answer.json()) as object).toMatchObject({ traceparent: expect.stringMatching(ofCaller) });
});

test('begins a trace where the caller has none, or an unreadable one', async () => {
  const [first, second, unreadable] = await Promise.all([
    service.app.inject('/trace'),
    service.app.inject('/trace'),
    service.app.inject({ url: '/trace', headers: { traceparent: '00-zz-1-01' } }),
  ]);
  const ids = [first, second, unreadable].map((answer) => String(answer?.headers.traceparent).split('-')[1]);

  expect(new Set(ids).size).toBe(3);
  for (const id of ids) {
    expect(id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  }
});

test("honours the caller's wish not to be sampled", async () => {
  const answer = await service.app.inject({
    url: '/trace',
    headers: { traceparent: caller.replace(/01$/, '00') },
  });

  expect(answer.json().traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
});

test('puts the trace on every line that is logged for the request', async () => {
  service.lines.length = 0;
  await service.app.inject({ url: '/log?text=hello', headers: { traceparent: caller } });
  const lines = service.lines.map((line) => JSON.parse(line));

  expect(lines.map(({ msg }) => msg)).toEqual(['hello', 'request answered']);
  expect(new Set(lines.map(({ trace_id }) => trace_id))).toEqual(
    new Set(['0af7651916cd43dd8448eb211c80319c']),
  );
  expect(lines[1]).toMatchObject({ method: 'GET', path: '/log', route: '/log', status: 200 });
});
