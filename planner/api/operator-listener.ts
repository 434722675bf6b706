import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { Conductor } from '../conductor/index.ts'
import { operatorWith, type PlannerIdentity, type Role } from '../identity/index.ts'
import { ApiError } from './errors.ts'

/** Where operators on other machines ask. */
export interface OperatorListener {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** The name they reach it under. */
  readonly name: string
}

const HANDSHAKE_TIMEOUT_MS = 8_000
const HEADERS_TIMEOUT_MS = 8_000
const MOST_CONNECTIONS = 256

/** The operator API on TCP: TLS 1.3 only, and nobody is believed without a token. */
export async function listenForOperators(
  { host, port, name }: OperatorListener,
  identity: PlannerIdentity,
  handler: RequestListener,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const options = { minVersion: 'TLSv1.3', handshakeTimeout: HANDSHAKE_TIMEOUT_MS } as const
  const { key, cert } = identity.serverTls()
  const server = createServer(
    { ...options, key, cert, requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS },
    handler,
  )
  server.maxConnections = MOST_CONNECTIONS
  server.on('tlsClientError', () => {})
  identity.onServerRenewed((tls) => server.setSecureContext({ ...options, ...tls }))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `https://${name.includes(':') ? `[${name}]` : name}:${actual}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Who the bearer token of a request names. @throws ApiError `not-known` */
export async function operatorOf(
  request: IncomingMessage,
  { conductor }: { readonly conductor: Conductor },
): Promise<{ readonly actor: string; readonly role: Role }> {
  const { db, now } = conductor.context
  const [, secret = ''] = /^Bearer ([\w-]{20,100})$/.exec(request.headers.authorization ?? '') ?? []
  const operator = await operatorWith(db, Buffer.from(secret, 'base64url'), now())
  if (operator !== undefined) return { actor: `operator:${operator.name}`, role: operator.role }
  throw new ApiError(
    'not-known',
    'the planner knows no such token: it was revoked, has expired, or is another planner’s; ask an admin for a new one',
  )
}
