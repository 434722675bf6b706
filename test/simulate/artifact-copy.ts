import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'

export interface Copy {
  /** For `--artifacts-url`. */
  readonly url: string
  close(): void
}

/**
 * A planner's artifacts as a web server gives them, in the simulator's process: what it takes is not the planner's. Without TLS, which
 * the planner has no part in.
 */
export async function serveCopy(artifacts: string): Promise<Copy> {
  const server = createServer((request, response) => {
    const [, path] = /^\/([0-9a-f]{2}\/[0-9a-f]{64})$/.exec(request.url ?? '') ?? []
    if (path === undefined) return void response.writeHead(404).end()
    pipeline(createReadStream(join(artifacts, path)), response, () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The digest of what came. @throws Error where the copy answered something else */
export async function pullArtifact(url: string, digest: string): Promise<string> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/${digest.slice(0, 2)}/${digest}`, { agent: false }, resolve).on('error', reject)
  })
  if (answer.statusCode !== 200) {
    answer.resume()
    throw new Error(`the copy answered ${answer.statusCode}`)
  }
  const hash = createHash('sha256')
  for await (const chunk of answer) hash.update(chunk)
  return hash.digest('hex')
}
