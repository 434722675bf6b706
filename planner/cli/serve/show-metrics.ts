import { createServer } from 'node:http'
import { type Family, processFamilies, textOf } from '../../../shared/exposition/index.ts'
import { closeServer, hostInUrl, listenOn } from '../../../shared/http-listening.ts'

const TIMEOUT_MS = 10_000
const MOST_CONNECTIONS = 16

export interface ShownMetrics {
  readonly url: string
  close(): Promise<void>
}

/** `/metrics` and nothing else, for who has no planner beside it that shows them. */
export async function showMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  figures: () => readonly Family[],
): Promise<ShownMetrics> {
  const limits = { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS }
  const server = createServer(limits, ({ method, url }, response) => {
    const isAsked = url === '/metrics' && (method === 'GET' || method === 'HEAD')
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' })
    response.end(isAsked ? textOf([...figures(), ...processFamilies()]) : '')
  })
  server.maxConnections = MOST_CONNECTIONS
  const actual = await listenOn(server, { host, port })
  return {
    url: `http://${hostInUrl(host)}:${actual}/metrics`,
    close: () => closeServer(server),
  }
}
