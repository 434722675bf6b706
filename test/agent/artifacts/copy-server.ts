import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTls, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { digestOf } from '../../../shared/digest.ts'
import { BLOCK_BYTES } from '../../../shared/messages/index.ts'

export interface Asked {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly request: IncomingMessage
}

/** Answers one request; `file` is what lies there. */
export type Behaviour = (response: ServerResponse, asked: Asked, file: Buffer) => void

/** As nginx serves a folder. */
export const STRAIGHT: Behaviour = (response, { from, to }, file) => {
  response.writeHead(206, {
    'content-range': `bytes ${from}-${to}/${file.length}`,
    'content-length': to + 1 - from,
  })
  response.end(file.subarray(from, to + 1))
}

/** A server of artifacts by their digests, which a test may make misbehave. */
export class CopyServer {
  readonly asked: Asked[] = []
  readonly #files = new Map<string, Buffer>()
  behave: Behaviour = STRAIGHT
  url = ''

  static async start(t: Test, tls?: ServerOptions): Promise<CopyServer> {
    const copy = new CopyServer()
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      copy.#answer(request, response)
    const server = tls ? createTls(tls, listener) : createPlain(listener)
    server.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    copy.url = `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`
    t.teardown(() => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    })
    return copy
  }

  /** The file and its block list, each by its digest. */
  put(file: Buffer): void {
    const digests: Buffer[] = []
    for (let at = 0; at < file.length; at += BLOCK_BYTES) {
      digests.push(Buffer.from(digestOf(file.subarray(at, at + BLOCK_BYTES)), 'hex'))
    }
    for (const bytes of [file, Buffer.concat(digests)]) {
      const digest = digestOf(bytes)
      this.#files.set(`/${digest.slice(0, 2)}/${digest}`, bytes)
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    const [, from = '0', to = '0'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const asked = { path, from: Number(from), to: Number(to), request }
    this.asked.push(asked)
    const file = this.#files.get(path)
    if (file) this.behave(response, asked, file)
    else response.writeHead(404).end()
  }
}
