import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { problemSchema } from './problem.schema.js';

export interface OpenApiOptions {
  name: string;
  description?: string;
  version?: string;
}

/** Serves the API's description at `/openapi.json` and a page to read and try it at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication, options: OpenApiOptions): void {
  const base = new DocumentBuilder()
    .setTitle(options.name)
    .setDescription(options.description ?? '')
    .setVersion(options.version ?? '1.0')
    .addGlobalResponse({
      status: 'default',
      description: 'Any error',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    })
    .build();
  const document = { ...base, components: { ...base.components, schemas: { Problem: problemSchema } } };
  // Built at the first question, not at the start of the service.
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, document), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: options.name,
  });
}
