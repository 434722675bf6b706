import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { UsageError } from '../../shared/errors.ts'
import { tlsAddress } from '../../shared/identity/index.ts'

const DEFAULT_PORT = 8883

/** What a TLS socket to this broker is opened with; nothing is believed yet. @throws UsageError */
export function addressOf(url: string): ConnectionOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'mqtts:' || parsed.hostname === '') {
    throw new UsageError(`"${url}" is no broker with TLS: use mqtts://host[:port]`, { url })
  }
  return tlsAddress(parsed, DEFAULT_PORT)
}

/** On its way to the broker, which must show a certificate of this authority (PEM) for its name. */
export function openTrusted(
  url: string,
  authority: string,
  own: { readonly cert?: string; readonly key?: string } = {},
): TLSSocket {
  return connect({ ...addressOf(url), ...own, ca: authority }).setNoDelay(true)
}
