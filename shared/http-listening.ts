import type { Server } from 'node:http'

/** Where to: a port of this machine (0: any that is free), or a path of the file system. */
export type ListenPlace = { readonly host: string; readonly port: number } | string

/** The port it really has; 0 for a path. */
export async function listenOn(
  server: Pick<Server, 'once' | 'listen' | 'address'>,
  place: ListenPlace,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    if (typeof place === 'string') server.listen(place, resolve)
    else server.listen(place.port, place.host, resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** With all that are connected: who keeps a connection open must not keep it up. */
export async function closeServer(
  server: Pick<Server, 'close' | 'closeAllConnections'>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

/** A host as it stands in a URL (RFC 3986, 3.2.2). */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
