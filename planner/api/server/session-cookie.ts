import type { IncomingMessage } from 'node:http'
import { ApiError } from '../contract/errors.ts'

/** With TLS the browser itself holds it to this host, this path and TLS (`__Host-`, RFC 6265bis 4.1.3.2). */
const NAMES = { tls: '__Host-fitment-session', plain: 'fitment-session' } as const

interface Way {
  readonly isTls: boolean
}

const nameFor = ({ isTls }: Way) => (isTls ? NAMES.tls : NAMES.plain)

export function cookieSecretOf(request: IncomingMessage, way: Way): string | undefined {
  for (const pair of (request.headers.cookie ?? '').slice(0, 8192).split(';')) {
    const [name, value = ''] = pair.trim().split('=')
    if (name === nameFor(way) && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}

/** @param secret empty: takes the cookie away */
export function setCookie(secret: string, lifeSeconds: number, way: Way): string {
  const parts = ['HttpOnly', 'SameSite=Strict', 'Path=/', `Max-Age=${Math.max(0, lifeSeconds)}`]
  return [`${nameFor(way)}=${secret}`, ...parts, ...(way.isTls ? ['Secure'] : [])].join('; ')
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * What changes something by a cookie comes from a page of this host: the browser says so itself. SameSite=Strict keeps
 * the cookie from other sites already; this holds for other ports and schemes of the same site too.
 * @throws ApiError `cross-site`
 */
export function refuseOtherSites(request: IncomingMessage): void {
  if (READS.has(request.method ?? '')) return
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site === undefined ? isOwn(origin, host) : site === 'same-origin') return
  throw new ApiError(
    'cross-site',
    'a session is good for pages of this planner only: the request came from elsewhere, or does not say from where',
  )
}

function isOwn(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host
}
