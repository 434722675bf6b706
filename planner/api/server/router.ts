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
  const here = operationNames.filter((name) => isAt(ROUTES[name].path, segments))
  const name = here.find((one) => ROUTES[one].method === method)
  if (name !== undefined) {
    return { name, route: ROUTES[name], fields: fieldsIn(ROUTES[name].path, segments) }
  }
  if (here.length > 0) {
    throw new MethodError(method, path, [...new Set(here.map((one) => ROUTES[one].method))])
  }
  throw new ApiError(
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

const partsOf = (path: string) => path.slice(1).split('/')
const FIELD = /^\{(\w+)\}$/

function isAt(path: string, segments: readonly string[]): boolean {
  const parts = partsOf(path)
  return (
    parts.length === segments.length &&
    parts.every((part, index) => part === segments[index] || (FIELD.test(part) && segments[index]))
  )
}

function fieldsIn(path: string, segments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    partsOf(path).flatMap((part, index) => {
      const [, name] = FIELD.exec(part) ?? []
      return name === undefined ? [] : [[name, decoded(segments[index] ?? '')]]
    }),
  )
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ApiError('malformed', 'the path cannot be read: a % stands before no two digits')
  }
}
