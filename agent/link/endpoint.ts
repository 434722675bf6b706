import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { reasonOf, UsageError } from '../../shared/errors.ts'

/** PEM files for a broker behind TLS. */
export interface TlsFiles {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface Endpoint {
  readonly url: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** Absent: `<fleet>/<device>`. */
  clientId?(): string
  /** What it shows to the broker of itself, PEM; undefined where it has nothing. */
  certificate?(): { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined
  /** A new socket on its way to the broker, with Nagle's algorithm off. */
  open(): Socket
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 }

/** @throws UsageError for a URL that is none, another scheme, or files that cannot be read */
export function parseEndpoint(url: string, files: TlsFiles = {}): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const defaultPort = DEFAULT_PORTS[parsed?.protocol ?? '']
  if (parsed === undefined || defaultPort === undefined || parsed.hostname === '') {
    throw new UsageError(
      `"${url}" is no broker: use mqtt://host[:port], or mqtts://host[:port] for TLS`,
      { url },
    )
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  const port = parsed.port === '' ? defaultPort : Number(parsed.port)
  const secrets = parsed.protocol === 'mqtts:' ? readTlsFiles(files) : undefined
  return {
    url: `${parsed.protocol}//${parsed.hostname}:${port}`,
    username: decodeURIComponent(parsed.username) || undefined,
    password: decodeURIComponent(parsed.password) || undefined,
    certificate: () => {
      const { cert, key } = secrets ?? {}
      return cert && key && { cert, key }
    },
    open() {
      const socket = secrets
        ? connectTls({ host, port, servername: host, ...secrets })
        : connectTcp({ host, port })
      return socket.setNoDelay(true)
    },
  }
}

function readTlsFiles(files: TlsFiles): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const read = (path: string | undefined, what: string) => {
    if (path === undefined) return undefined
    try {
      return readFileSync(path)
    } catch (error) {
      throw new UsageError(`cannot read the ${what} ${path}: ${reasonOf(error)}`, { path })
    }
  }
  const ca = read(files.ca, 'authority')
  const cert = read(files.cert, 'certificate')
  const key = read(files.key, 'key')
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}
