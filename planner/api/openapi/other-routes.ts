import { OTHER_PATHS } from '../contract/routes.ts'
import { problems } from './problem-responses.ts'
import type { JsonSchema } from './schemas.ts'

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })
const json = (description: string, name: string): JsonSchema => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
})
const text = (description: string, type: string): JsonSchema => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
})
const NOT_CHANGED: JsonSchema = { description: 'As If-None-Match has it' }
const FOR_ALL: readonly JsonSchema[] = []

/** What is no operation: bytes, sessions, a stream, and this document itself. */
export const OTHER_ROUTES: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>> = {
  [OTHER_PATHS.artifacts]: {
    post: {
      operationId: 'artifacts.put',
      summary: 'Uploads a file; its name is the digest of what it holds',
      tags: ['artifacts'],
      requestBody: {
        required: true,
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
      responses: {
        '201': json('What it is called by', 'ArtifactRef'),
        ...problems([401, 403, 422, 429, 500, 503]),
      },
    },
  },
  [OTHER_PATHS.artifact]: {
    get: {
      operationId: 'artifacts.get',
      summary: 'A file that was released, by its digest',
      tags: ['artifacts'],
      parameters: [
        {
          name: 'digest',
          in: 'path',
          required: true,
          schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        },
      ],
      responses: {
        '200': {
          description: 'Its bytes',
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        ...problems([401, 403, 404, 429, 500, 503]),
      },
    },
  },
  [OTHER_PATHS.session]: {
    get: {
      operationId: 'session.show',
      summary: 'Who asks',
      tags: ['session'],
      responses: {
        '200': json('Who asks', 'Session'),
        '304': NOT_CHANGED,
        ...problems([401, 500]),
      },
    },
    post: {
      operationId: 'session.open',
      summary: 'Opens a session of a page with a token',
      tags: ['session'],
      security: FOR_ALL,
      requestBody: { required: true, content: { 'application/json': { schema: ref('LogIn') } } },
      responses: {
        '201': json('Who it is; the cookie goes with it', 'Session'),
        ...problems([400, 401, 403, 413, 415, 422, 500]),
      },
    },
    delete: {
      operationId: 'session.close',
      summary: 'Ends the session',
      tags: ['session'],
      security: FOR_ALL,
      responses: { '204': { description: 'It is over' }, ...problems([403, 500]) },
    },
  },
  [OTHER_PATHS.events]: {
    get: {
      operationId: 'events',
      summary: 'What moves, as server-sent events',
      tags: ['events'],
      parameters: [
        {
          name: 'Last-Event-ID',
          in: 'header',
          required: false,
          schema: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9]{1,15}$' },
          description: 'Goes on behind this one.',
        },
      ],
      responses: {
        '200': text('A stream without an end', 'text/event-stream'),
        ...problems([401, 403, 429, 500, 503]),
      },
    },
  },
  [OTHER_PATHS.openapi]: {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      tags: ['documentation'],
      security: FOR_ALL,
      responses: {
        '200': {
          description: 'OpenAPI 3.1',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        '304': NOT_CHANGED,
      },
    },
  },
  [OTHER_PATHS.docs]: {
    get: {
      operationId: 'docs',
      summary: 'This document as a page',
      tags: ['documentation'],
      security: FOR_ALL,
      responses: { '200': text('A page', 'text/html') },
    },
  },
  [OTHER_PATHS.metrics]: {
    get: {
      operationId: 'metrics',
      summary: 'Figures for Prometheus',
      tags: ['metrics'],
      responses: {
        '200': text('Text format 0.0.4', 'text/plain'),
        ...problems([401, 404, 500, 503]),
      },
    },
  },
}
