import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ConflictException, InternalServerErrorException } from '@nestjs/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyService } from '../spec-support/start-tiny-service.js';
import { ProblemException } from './problem.js';
import { toProblem } from './to-problem.js';

let service: Awaited<ReturnType<typeof createTinyService>>;

beforeAll(async () => {
  service = await createTinyService({ BODY_LIMIT_BYTES: '1000', REQUEST_TIMEOUT_MS: '200' });
  await service.app.listen(0, '127.0.0.1');
});
afterAll(() => service.app.close());

const key = { 'idempotency-key': 'abcdefgh' };
const json = { ...key, 'content-type': 'application/json' };

async function problemOf(options: Parameters<typeof service.app.inject>[0]) {
  const answer = await service.app.inject(options);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.json();
  expect(problem).toMatchObject({ type: 'about:blank', status: answer.statusCode });
  return problem;
}

test('an unknown path is a problem', async () => {
  expect(await problemOf('/nothing?secret=1')).toMatchObject({
    status: 404,
    title: 'Not Found',
    instance: '/nothing',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});

test('a path that cannot be decoded is a problem', async () => {
  expect(await problemOf('/%ZZ')).toMatchObject({ status: 400, title: 'Bad Request' });
});

test('malformed JSON is a problem', async () => {
  const problem = await problemOf({ method: 'POST', url: '/things', headers: json, payload: '{"name"' });
  expect(problem).toMatchObject({ status: 400, detail: expect.stringContaining('not valid JSON') });
});

test('JSON that reaches for a prototype is a problem', async () => {
  const payload = '{"name": "x", "parts": [], "__proto__": {"admin": true}}';
  expect(await problemOf({ method: 'POST', url: '/things', headers: json, payload })).toMatchObject({
    status: 400,
  });
});

test('a body over the limit is a problem', async () => {
  const payload = JSON.stringify({ name: 'x'.repeat(1_000), parts: [] });
  const problem = await problemOf({ method: 'POST', url: '/things', headers: json, payload });
  expect(problem).toMatchObject({ status: 413, title: 'Payload Too Large' });
});

test('a body that is not JSON is a problem', async () => {
  const headers = { ...key, 'content-type': 'text/plain' };
  const problem = await problemOf({ method: 'POST', url: '/things', headers, payload: 'hello' });
  expect(problem).toMatchObject({ status: 415 });
});

test('what the service itself refuses carries its code and explanation', async () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057';
  expect(await problemOf(`/things/${id}`)).toMatchObject({
    status: 404,
    title: 'Not Found',
    code: 'THING_NOT_FOUND',
    detail: `There is no thing ${id}.`,
  });
});

test('validation names every fault of body and headers at once', async () => {
  const payload = {
    name: '',
    parts: [
      { sku: 1, 'a/b': 2, quantity: 1.5 },
      { sku: 'a', quantity: 0 },
    ],
    colour: 'red',
  };
  const problem = await problemOf({ method: 'POST', url: '/things', payload });

  expect(problem).toMatchObject({
    status: 400,
    code: 'REQUEST_INVALID',
    detail: 'The request has 7 faults.',
  });
  expect(
    problem.errors.map((fault: { pointer?: string; parameter?: string }) => fault.pointer ?? fault.parameter),
  ).toEqual(
    expect.arrayContaining([
      'Idempotency-Key',
      '#/name',
      '#/parts/0/sku',
      '#/parts/0/a~1b',
      '#/parts/0/quantity',
      '#/parts/1/quantity',
      '#',
    ]),
  );
  expect(problem.errors.at(-1)).toEqual({ pointer: '#', detail: 'Unrecognized key: "colour"' });
});

test('validation never mixes up requests that fail at the same time', async () => {
  const wrong = (quantity: number) => ({ name: 'x', parts: [{ sku: 'a', quantity }] });
  const requests = Array.from({ length: 20 }, (_, index) =>
    problemOf({ method: 'POST', url: '/things', headers: key, payload: wrong(-index) }),
  );
  for (const problem of await Promise.all(requests)) {
    expect(problem.errors).toHaveLength(1);
  }
});

test('validation names query and path parameters', async () => {
  expect((await problemOf('/things?limit=1000')).errors).toMatchObject([{ parameter: 'limit' }]);
  expect((await problemOf('/things/17')).errors).toMatchObject([{ parameter: 'id' }]);
});

test('a body with very many faults gets a bounded answer', async () => {
  const payload = { name: 'x', parts: Array(150).fill(0) };
  const { errors } = await problemOf({ method: 'POST', url: '/things', headers: key, payload });

  expect(errors).toHaveLength(101);
  expect(errors.at(-1)).toEqual({ detail: 'and 50 more faults' });
});

test('an unknown error tells nothing but the trace id, and is logged once with it', async () => {
  service.lines.length = 0;
  const problem = await problemOf('/fail');

  expect(problem).toEqual({
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    instance: '/fail',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  const logged = service.lines.map((line) => JSON.parse(line)).filter((line) => line.err);
  expect(logged).toMatchObject([
    {
      level: 'error',
      trace_id: problem.traceId,
      err: { message: 'cannot open /etc/secret' },
      msg: 'GET /fail failed',
    },
  ]);
});

test('an answer that fails half way is cut off, not ended as if it were whole', async () => {
  service.lines.length = 0;

  await expect(fetch(`${await service.app.getUrl()}/half`).then((answer) => answer.text())).rejects.toThrow();

  const logged = service.lines.map((line) => JSON.parse(line)).filter((line) => line.err);
  expect(logged).toMatchObject([{ level: 'error', err: { message: 'broke off' } }]);
});

test('the text of a server fault stays inside, a refusal explains itself', () => {
  expect(toProblem(new InternalServerErrorException('password is x'))).not.toHaveProperty('detail');
  expect(toProblem(new ConflictException('taken'))).toMatchObject({ status: 409, detail: 'taken' });
  const busy = new ProblemException({ status: 503, code: 'BUSY', detail: 'Try again later.' });
  expect(toProblem(busy)).toMatchObject({ status: 503, code: 'BUSY', detail: 'Try again later.' });
});

test.each([
  ['is not HTTP', 'hello\r\n\r\n', 400],
  [
    'never comes to its end',
    'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    408,
  ],
  ['has headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])('a request that %s is a problem', async (_, request, status) => {
  const { port } = new URL(await service.app.getUrl());
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(request));

  const [head, body] = (await text(socket)).split('\r\n\r\n');

  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*Content-Type: application/problem\\+json`, 's'));
  expect(JSON.parse(body ?? '')).toMatchObject({ type: 'about:blank', status });
});
