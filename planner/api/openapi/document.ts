import { OPERATIONS, type OperationName, operationNames } from '../contract/contract.ts'
import type { ProblemStatus } from '../contract/problems.ts'
import { queryParameter } from '../contract/query-parameters.ts'
import { API, OTHER_PATHS, ROUTES, type Route } from '../contract/routes.ts'
import { OTHER_ROUTES } from './other-routes.ts'
import { problems } from './problem-responses.ts'
import { components, fieldsOf, type JsonSchema, pageSchema, schemaOf } from './schemas.ts'

export type Document = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
}

let made:
  | { readonly version: string; readonly document: Document; readonly text: string }
  | undefined

/** OpenAPI 3.1 of all that is served under `/api/v1`, made of the same tables that serve it. */
export function documentOf(version: string): Document {
  return make(version).document
}

export function documentText(version: string): string {
  return make(version).text
}

function make(version: string) {
  if (made?.version === version) return made
  const document = build(version)
  made = { version, document, text: JSON.stringify(document) }
  return made
}

function build(version: string): Document {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const name of operationNames) {
    const { method, path } = ROUTES[name]
    const here = paths[`${API}${path}`] ?? {}
    paths[`${API}${path}`] = here
    here[method.toLowerCase()] = operationOf(name)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Fitment',
      version,
      description:
        'What operators can ask of a planner. Lists are pages: give "next" back as cursor. GET answers have an ETag. POST takes an Idempotency-Key: the same key within a day gets the same answer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }, { session: [] }],
    paths: { ...paths, ...OTHER_ROUTES },
    components: {
      schemas: components(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Of fitment operators add.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-fitment-session',
          description: `Opened by POST ${OTHER_PATHS.session}; without TLS named fitment-session.`,
        },
      },
    },
  }
}

function operationOf(name: OperationName): JsonSchema {
  const route = ROUTES[name]
  const { properties, required } = fieldsOf(name)
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field ?? '')
  const isRead = route.method === 'GET' || route.method === 'DELETE'
  const others = Object.keys(properties).filter((field) => !inPath.includes(field))
  const parameters = [
    ...inPath.map((field) => parameter('path', field, properties[field] ?? {}, true)),
    ...(isRead ? others : []).map((field) =>
      parameter('query', field, properties[field] ?? {}, required.includes(field)),
    ),
    ...(route.method === 'POST' ? [IDEMPOTENCY_KEY] : []),
  ]
  return {
    operationId: name,
    summary: route.summary,
    description: `Needs the role ${OPERATIONS[name].role}.`,
    tags: [route.path.split('/')[1]],
    ...(parameters.length > 0 && { parameters }),
    ...(!isRead && { requestBody: bodyOf(others, properties, required) }),
    responses: { ...successOf(name, route), ...problems(statusesOf(route)) },
  }
}

function parameter(
  place: 'path' | 'query',
  name: string,
  schema: JsonSchema,
  required: boolean,
): JsonSchema {
  const { default: _, ...plain } = schema
  return { name, in: place, required, schema: queryParameter(name).schema ?? plain }
}

const IDEMPOTENCY_KEY: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
}

function bodyOf(
  fields: readonly string[],
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): JsonSchema {
  const wanted = required.filter((field) => fields.includes(field))
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field, properties[field]])),
    ...(wanted.length > 0 && { required: wanted }),
  }
  return { required: wanted.length > 0, content: { 'application/json': { schema } } }
}

function successOf(name: OperationName, route: Route): JsonSchema {
  const operation = OPERATIONS[name]
  const schema = 'item' in operation ? pageSchema(operation.item) : schemaOf(operation.output)
  const lines = { schema: { type: 'string', description: 'Lines of progress, then a result.' } }
  const content = {
    'application/json': { schema },
    ...(route.isLong && { 'application/x-ndjson': lines }),
  }
  const status = String(route.status ?? 200)
  return {
    [status]: { description: route.summary, content },
    // Progress is told before it is known how it ends.
    ...(route.isLong &&
      status !== '200' && {
        '200': { description: 'Progress', content: { 'application/x-ndjson': lines } },
      }),
    ...(route.method === 'GET' && { '304': { description: 'As If-None-Match has it' } }),
  }
}

const EVERYWHERE: readonly ProblemStatus[] = [400, 401, 403, 404, 422, 429, 500, 503]
const OF_CHANGES: readonly ProblemStatus[] = [409]
const OF_BODIES: readonly ProblemStatus[] = [413, 415]

function statusesOf({ method }: Route): readonly ProblemStatus[] {
  const changes = method === 'GET' ? [] : OF_CHANGES
  const bodies = method === 'GET' || method === 'DELETE' ? [] : OF_BODIES
  return [...EVERYWHERE, ...changes, ...bodies]
}
