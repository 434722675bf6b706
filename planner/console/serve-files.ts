import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'
import { ASSETS_FILE, ASSETS_PATH, assetsSchema } from './assets.ts'

/** Nothing runs and nothing is loaded but what this planner serves; no script, style or form of markup's own. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

interface Served {
  readonly type: string
  readonly bytes: Buffer
  readonly brotli: Buffer
}

interface Console {
  /** The one page there is; its script shows what the link says. */
  readonly page: Served
  readonly files: ReadonlyMap<string, Served>
}

/**
 * The web console: built files below `/console/`, and the page for every other path. They are read when first asked for,
 * and served from memory: less than a megabyte.
 * @param folder where the build put them
 */
export function consolePages(
  folder = join(import.meta.dirname, 'built'),
): (request: IncomingMessage, response: ServerResponse) => void {
  let loaded: Promise<Console> | undefined
  return (request, response) => {
    loaded ??= load(folder)
    loaded.then(
      (built) => serve(built, request, response),
      () => {
        loaded = undefined
        send(response, 503, 'text/plain; charset=utf-8', NOT_BUILT)
      },
    )
  }
}

const NOT_BUILT = 'The console was not built: run npm run build in the folder of Fitment.\n'
const NOT_FOUND = 'There is no such file.\n'

async function load(folder: string): Promise<Console> {
  const text = await readFile(join(folder, ASSETS_FILE), 'utf8')
  const assets = assetsSchema.parse(JSON.parse(text))
  const files = new Map<string, Served>()
  for (const { name, type } of assets.files) files.set(name, await read(folder, name, type))
  return { page: await read(folder, assets.page, 'text/html; charset=utf-8'), files }
}

async function read(folder: string, name: string, type: string): Promise<Served> {
  const path = join(folder, name)
  return { type, bytes: await readFile(path), brotli: await readFile(`${path}.br`) }
}

function serve({ page, files }: Console, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://console')
  const isFile = pathname.startsWith(ASSETS_PATH)
  const served = isFile ? files.get(pathname.slice(ASSETS_PATH.length)) : page
  if (served === undefined) {
    send(response, 404, 'text/plain; charset=utf-8', NOT_FOUND)
    return
  }
  const takesBrotli = z.string().catch('').parse(request.headers['accept-encoding']).includes('br')
  response.writeHead(200, {
    ...HEADERS,
    'content-type': served.type,
    vary: 'accept-encoding',
    // A file's name says what is in it.
    'cache-control': isFile ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(takesBrotli && { 'content-encoding': 'br' }),
  })
  response.end(request.method === 'HEAD' ? undefined : takesBrotli ? served.brotli : served.bytes)
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'cache-control': 'no-store' })
  response.end(text)
}
