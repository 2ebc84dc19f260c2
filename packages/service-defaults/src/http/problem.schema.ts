/** OpenAPI schema of an error answer, see `Problem`. */
export const problemSchema = {
  type: 'object',
  description: 'Problem details, RFC 9457',
  required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string', format: 'uri-reference', example: 'about:blank' },
    title: { type: 'string', example: 'Bad Request' },
    status: { type: 'integer', example: 400 },
    detail: { type: 'string', example: 'The request has 1 fault.' },
    instance: { type: 'string', format: 'uri-reference' },
    code: { type: 'string', description: 'Stable code of the cause', example: 'REQUEST_INVALID' },
    traceId: { type: 'string', description: 'Find the request in logs by it' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          pointer: { type: 'string', description: 'Where in the body', example: '#/lines/0/quantity' },
          parameter: { type: 'string', description: 'Which parameter or header' },
          detail: { type: 'string' },
        },
      },
    },
  },
};
