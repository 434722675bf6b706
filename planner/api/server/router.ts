import { type OperationName, operationNames } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { API, type Method, ROUTES, type Route } from '../contract/routes.ts'

export interface Found {
  readonly name: OperationName
  readonly route: Route
  /** Fields of the input that stand in the path. */
  readonly fields: Readonly<Record<string, string>>
}

/** @throws ApiError `no-such-path`, `no-such-method`, `malformed` */
export function routeOf(method: string, path: string): Found {
  const segments = path.slice(API.length + 1).split('/')
  const here = TABLE.filter(({ parts }) => isAt(parts, segments))
  const found = here.find(({ route }) => route.method === method)
  if (found !== undefined) {
    const { name, route, parts } = found
    return { name, route, fields: fieldsIn(parts, segments) }
  }
  if (here.length > 0) {
    throw new MethodError(method, path, [...new Set(here.map(({ route }) => route.method))])
  }
  throw noSuchPath(method, path)
}

export function noSuchPath(method: string, path: string): ApiError {
  return new ApiError(
    'no-such-path',
    `the planner has no ${method} ${path.slice(0, 200)}: are fitment and planner of one version?`,
  )
}

/** The path is there, and is asked otherwise. */
export class MethodError extends ApiError {
  readonly allowed: readonly Method[]

  constructor(method: string, path: string, allowed: readonly Method[]) {
    super(
      'no-such-method',
      `the planner has no ${method} ${path.slice(0, 200)}, only ${allowed.join(', ')}`,
    )
    this.allowed = allowed
  }
}

const FIELD = /^\{(\w+)\}$/

interface Part {
  readonly text: string
  /** Of the input, where it is none of the path's own words. */
  readonly field: string | undefined
}

const TABLE = operationNames.map((name) => {
  const route = ROUTES[name]
  const texts = route.path.slice(1).split('/')
  return { name, route, parts: texts.map((text): Part => ({ text, field: FIELD.exec(text)?.[1] })) }
})

function isAt(parts: readonly Part[], segments: readonly string[]): boolean {
  return (
    parts.length === segments.length &&
    parts.every(
      ({ text, field }, index) =>
        text === segments[index] || (field !== undefined && segments[index] !== ''),
    )
  )
}

function fieldsIn(parts: readonly Part[], segments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    parts.flatMap(({ field }, index) =>
      field === undefined ? [] : [[field, decoded(segments[index] ?? '')]],
    ),
  )
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ApiError('malformed', 'the path cannot be read: a % stands before no two digits')
  }
}
