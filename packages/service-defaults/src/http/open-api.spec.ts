import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyService } from '../spec-support/start-tiny-service.js';

let service: Awaited<ReturnType<typeof createTinyService>>;

beforeAll(async () => {
  service = await createTinyService();
});
afterAll(() => service.app.close());

test('describes bodies, parameters, headers and answers by their schemas', async () => {
  const { paths, info } = (await service.app.inject('/openapi.json')).json();
  const create = paths['/things'].post;

  expect(info.title).toBe('tiny-service');
  expect(create.requestBody.content['application/json'].schema).toMatchObject({
    type: 'object',
    required: ['name', 'parts'],
    properties: { parts: { items: { properties: { quantity: { type: 'integer' } } } } },
  });
  expect(create.responses['201'].content['application/json'].schema).toMatchObject({
    properties: { id: { format: 'uuid' }, createdAt: { format: 'date-time' } },
  });
  expect(create.parameters).toMatchObject([
    { in: 'header', name: 'Idempotency-Key', required: true, description: 'Makes a repeat harmless' },
  ]);
  expect(paths['/things'].get.parameters).toMatchObject([
    { in: 'query', name: 'limit', required: false, schema: { maximum: 100 } },
    { in: 'query', name: 'cursor', required: false },
  ]);
  expect(paths['/things/{id}'].get.parameters).toMatchObject([{ in: 'path', name: 'id', required: true }]);
});

test('describes errors as problems', async () => {
  const { paths, components } = (await service.app.inject('/openapi.json')).json();

  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  expect(paths['/things'].post.responses.default.content).toEqual(content);
  expect(paths['/things/{id}'].get.responses['404']).toEqual({ description: 'No such thing', content });
  expect(components.schemas.Problem.required).toEqual(['type', 'title', 'status']);
});

test('serves a page to read and try it, with all that the page needs', async () => {
  const page = await service.app.inject('/docs');

  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.body).toContain('tiny-service');
  for (const [, path] of page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
    expect((await service.app.inject(`/${path}`)).statusCode, path).toBe(200);
  }
  expect(page.body).toMatch(/src="\.\//);
});
