import { type ClientRequest, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { userInfo } from 'node:os'
import { fetchAuthority, parseOperatorToken, tlsAddress } from '../../../shared/identity/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { socketPath } from './socket-path.ts'

/** The way to a planner: its socket on this machine, or its listener for operators elsewhere. */
export interface ApiTransport {
  /** For messages. */
  readonly place: string
  /** What to do where nobody answers. */
  readonly advice: string
  ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<ClientRequest>
}

const TIMEOUT_MS = 15_000
const HTTPS_PORT = 8443

/** @throws IdentityError `malformed-token` */
export function apiTransport(data: string, token: string | undefined): ApiTransport {
  return token === undefined || token === '' ? socketTransport(data) : tokenTransport(token)
}

function socketTransport(data: string): ApiTransport {
  return {
    place: data,
    advice: `start one with fitment serve --data ${shellWord(data)}`,
    ask: async (method, path, headers) =>
      requestHttp({
        socketPath: socketPath(data),
        method,
        path,
        // One question, one connection: a planner that restarted is found again.
        agent: false,
        headers: { ...headers, 'x-fitment-actor': `cli:${userName()}` },
      }),
  }
}

/** Believes the authority that the token pins, and no other. */
function tokenTransport(text: string): ApiTransport {
  const { planner: url, authority: pin, secret } = parseOperatorToken(text)
  const authorization = `Bearer ${Buffer.from(secret).toString('base64url')}`
  if (url.startsWith('http:')) return plainTransport(url, authorization)
  const address = tlsAddress(new URL(url), HTTPS_PORT)
  let authority: Promise<string> | undefined
  return {
    place: url,
    advice: 'start it there with fitment serve --api-host ADDRESS',
    async ask(method, path, headers) {
      authority ??= fetchAuthority({ url, address }, pin, TIMEOUT_MS)
      const ca = await authority
      const { host, port, servername, minVersion } = address
      return requestHttps({
        host,
        port,
        ...(servername !== undefined && { servername }),
        minVersion,
        ca,
        method,
        path,
        agent: false,
        headers: {
          ...headers,
          authorization,
        },
      })
    },
  }
}

/** Of this machine only: no token says so of another. */
function plainTransport(url: string, authorization: string): ApiTransport {
  const { hostname: host, port } = new URL(url)
  return {
    place: url,
    advice: 'start it with fitment serve --api-host 127.0.0.1 --api-plain',
    ask: async (method, path, headers) =>
      requestHttp({
        host,
        port,
        method,
        path,
        agent: false,
        headers: { ...headers, authorization },
      }),
  }
}

function userName(): string {
  try {
    return userInfo()
      .username.replace(/[^\w.@-]/g, '_')
      .slice(0, 32)
  } catch {
    return 'unknown'
  }
}
