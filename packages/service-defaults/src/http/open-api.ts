import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { problemSchema } from './problem.schema.js';

export interface OpenApiOptions {
  name: string;
  description?: string;
  version?: string;
}

const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Serves the API's description at `/openapi.json` and a page to read and try it at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication, options: OpenApiOptions): void {
  const base = new DocumentBuilder()
    .setTitle(options.name)
    .setDescription(options.description ?? '')
    .setVersion(options.version ?? '1.0')
    .addGlobalResponse({ status: 'default', description: 'Any error', content: problem })
    .build();
  const document = { ...base, components: { ...base.components, schemas: { Problem: problemSchema } } };
  // Built at the first question, not at the start of the service.
  SwaggerModule.setup('docs', app, () => withProblems(SwaggerModule.createDocument(app, document)), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: options.name,
  });
}

/** Errors that a route documents by description alone have the content that all errors have. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.put, path.post, path.patch, path.delete]) {
      for (const [status, response] of Object.entries(operation?.responses ?? {})) {
        if (/^[45]/.test(status) && response && !('$ref' in response)) {
          response.content ??= problem;
        }
      }
    }
  }
  return document;
}
