import type { OperationName } from '../contract/contract.ts'
import { queryParameter } from '../contract/query-parameters.ts'
import { API, type Method, ROUTES } from '../contract/routes.ts'

export interface ClientRequestLine {
  readonly method: Method
  readonly path: string
  readonly body?: string
  readonly accept: string
}

/** An operation's input as its route wants it: fields in the path, the query, or the body. */
export function requestFor(name: OperationName, input: object): ClientRequestLine {
  const { method, path, isLong } = ROUTES[name]
  const left = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const filled = path.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = left.get(field)
    left.delete(field)
    return encodeURIComponent(String(value))
  })
  const accept = isLong ? 'application/x-ndjson' : 'application/json'
  if (method !== 'GET' && method !== 'DELETE') {
    return {
      method,
      path: `${API}${filled}`,
      body: JSON.stringify(Object.fromEntries(left)),
      accept,
    }
  }
  const query = new URLSearchParams()
  for (const [field, value] of left) query.set(field, queryParameter(field).print(value))
  return { method, path: `${API}${filled}${query.size > 0 ? `?${query}` : ''}`, accept }
}
