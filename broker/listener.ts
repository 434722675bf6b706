import { createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { invariant } from '../shared/errors.ts'
import { BrokerError } from './errors.ts'

/** PEM texts: key and certificate chain of this server, and the authority of its clients. */
export interface TlsMaterial {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

export interface ListenerOptions {
  /** Absent: no encryption. */
  readonly tls: TlsMaterial | undefined
  /** A TLS handshake not done by then ends the connection, ms. */
  readonly handshakeTimeoutMs: number
  /** False: the socket is destroyed, before a byte of it is read. */
  readonly admit: (socket: Socket) => boolean
  /** With TLS: once the handshake is done. */
  readonly accept: (socket: Socket) => void
}

/** Room for a few blocks, so that a full pipe needs few system calls. */
const SOCKET_BUFFER_BYTES = 256 * 1024

/**
 * TLS 1.3 only: client certificates travel encrypted, and nothing is renegotiated. A certificate is asked
 * for, not demanded: who has none, or a bad one, is told so in MQTT's words.
 */
const TLS_RULES = { minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false } as const

export function createListener(options: ListenerOptions): Server {
  const { tls, handshakeTimeoutMs, admit, accept } = options
  // Half open: what a client said before it said no more may wait for its turn (`connection.ts`, which closes it then).
  const socketOptions = {
    noDelay: true,
    highWaterMark: SOCKET_BUFFER_BYTES,
    allowHalfOpen: true,
  }
  if (tls === undefined) {
    return createPlainServer(socketOptions, (socket) => {
      if (admit(socket)) accept(socket)
      else socket.destroy()
    })
  }
  const server = createTlsServer(
    { ...socketOptions, ...tls, ...TLS_RULES, handshakeTimeout: handshakeTimeoutMs },
    accept,
  )
  // Before the handshake, which costs more than a socket does.
  server.prependListener('connection', (socket: Socket) => {
    if (!admit(socket)) socket.destroy()
  })
  // A handshake that failed, or took too long: Node tells of it and leaves the socket open.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

/** Connections from now on see this certificate. */
export function renewCertificate(server: Server, tls: TlsMaterial): void {
  invariant('setSecureContext' in server, 'a listener with TLS has a certificate')
  const secure = server as TlsServer
  secure.setSecureContext({ ...tls, ...TLS_RULES })
}

/** Answers the port. @throws BrokerError `cannot-listen` */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message
      const message = `cannot listen on ${host}:${port} (${reason}): is another broker running there?`
      reject(new BrokerError('cannot-listen', message, { host, port }, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      invariant(typeof address === 'object' && address !== null, 'a TCP server has a port')
      resolve(address.port)
    })
  })
}
