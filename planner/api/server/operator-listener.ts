import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer } from 'node:https'
import { closeServer, hostInUrl, listenOn } from '../../../shared/http-listening.ts'
import type { PlannerIdentity } from '../../identity/index.ts'

/** Where operators on other machines ask. */
export interface OperatorListener {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** The name they reach it under. */
  readonly name: string
  /** No TLS: for browsers of this machine, or behind a proxy that has it. Loopback only. */
  readonly isPlain?: boolean
}

const HANDSHAKE_TIMEOUT_MS = 8_000
const HEADERS_TIMEOUT_MS = 8_000
const MOST_CONNECTIONS = 256

/** The operator API on TCP: TLS 1.3, or plain on loopback; nobody is believed without a token or a session. */
export async function listenForOperators(
  { host, port, name, isPlain = false }: OperatorListener,
  identity: PlannerIdentity,
  handler: RequestListener,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = isPlain ? plainServer(handler) : tlsServer(identity, handler)
  server.maxConnections = MOST_CONNECTIONS
  const actual = await listenOn(server, { host, port })
  return {
    url: `${isPlain ? 'http' : 'https'}://${hostInUrl(name)}:${actual}`,
    close: () => closeServer(server),
  }
}

const TIMES = { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS } as const

function plainServer(handler: RequestListener): Server {
  return createPlainServer(TIMES, handler)
}

function tlsServer(identity: PlannerIdentity, handler: RequestListener) {
  const options = { minVersion: 'TLSv1.3', handshakeTimeout: HANDSHAKE_TIMEOUT_MS } as const
  const { key, cert } = identity.serverTls()
  const server = createServer({ ...options, key, cert, ...TIMES }, handler)
  server.on('tlsClientError', () => {})
  identity.onServerRenewed((tls) => server.setSecureContext({ ...options, ...tls }))
  return server
}
