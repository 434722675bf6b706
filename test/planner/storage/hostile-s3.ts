import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Asked {
  readonly method: string
  /** `bucket/key` */
  readonly path: string
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void | Promise<void>

/** Objects in memory, by the few words of S3 that the planner says, and whatever a test does in their place. */
export interface HostileS3 {
  readonly objects: Map<string, Buffer>
  readonly asked: Asked[]
  /** In the place of an honest answer; undefined: this one is honest. */
  misbehave: (asked: Asked) => Answer | undefined
}

export async function startHostileS3(t: Test): Promise<HostileS3> {
  const s3: HostileS3 = { objects: new Map(), asked: [], misbehave: () => undefined }
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').replace(/\?.*/, '').slice(1))
    const asked = { method: request.method ?? '', path }
    s3.asked.push(asked)
    const answer = s3.misbehave(asked) ?? ((to, from) => honestly(s3, asked, from, to))
    void answer(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  settings(t, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'somebody',
    AWS_SECRET_ACCESS_KEY: 'something',
  })
  return s3
}

/** Variables for as long as the test runs. */
export function settings(t: Test, wanted: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const before = process.env[name]
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

/** An error as S3 says it. */
export function refuse(status: number, code: string): Answer {
  return (response, request) => {
    request.resume()
    response.writeHead(status, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`)
  }
}

async function honestly(
  { objects }: HostileS3,
  { method, path }: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  if (method === 'PUT') {
    const said = request.headers['x-amz-content-sha256']
    if (said !== createHash('sha256').update(body).digest('hex')) {
      return await refuse(400, 'XAmzContentSHA256Mismatch')(response, request)
    }
    objects.set(path, body)
    return void response.end()
  }
  if (method === 'DELETE') {
    objects.delete(path)
    return void response.writeHead(204).end()
  }
  const object = objects.get(path)
  if (object === undefined) return await refuse(404, 'NoSuchKey')(response, request)
  response.writeHead(200, { 'content-length': object.length })
  response.end(method === 'HEAD' ? undefined : object)
}
