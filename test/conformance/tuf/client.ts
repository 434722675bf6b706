#!/usr/bin/env node
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { TargetFile } from '@tufjs/models'
import { DurableStore } from '../../../agent/trust/durable-store.ts'
import {
  type RefreshedRepository,
  RepositoryClient,
} from '../../../agent/trust/repository-client.ts'
import { messageOf } from '../../../shared/errors.ts'
import { TrustError, type TrustLimits } from '../../../shared/trust/index.ts'
import { httpSource, urlOf } from './http-source.ts'

/**
 * Our client behind the command line of the tuf-conformance suite (its CLIENT-CLI.md): `init ROOT`,
 * `refresh`, `download`. Beyond the suite's: `session` takes commands as JSON lines on standard input
 * and answers each with one, for suites that look between refresh and search.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string' },
    'metadata-url': { type: 'string' },
    'target-name': { type: 'string' },
    'target-base-url': { type: 'string' },
    'target-dir': { type: 'string' },
  },
})

interface SessionCommand {
  readonly command: 'refresh' | 'find'
  readonly target?: string
  readonly now?: string
  readonly limits?: Partial<TrustLimits>
}

// The suites know every file of the folder: the second copies lie beside it.
const store = new DurableStore(given('metadata-dir'), `${given('metadata-dir')}-second`)

async function client(limits: SessionCommand['limits'] = {}): Promise<RepositoryClient> {
  const anchor = await store.read('root.json')
  if (!anchor) throw new Error('no trusted root: run init first')
  const client = new RepositoryClient({ store, limits })
  if ((await client.rootVersion()) === 0) await client.adopt(anchor)
  return client
}

async function refresh({
  now,
  limits,
}: Partial<SessionCommand> = {}): Promise<RefreshedRepository> {
  const time = () => (now ? new Date(now) : new Date())
  return await (await client(limits)).refresh(httpSource(given('metadata-url')), time)
}

async function download(): Promise<void> {
  const repository = await refresh()
  const found = await repository.find(given('target-name'))
  if (!found) throw new Error('no such target')
  const { target } = found
  const path = join(given('target-dir'), encodeURIComponent(target.path))
  const cached = await readFile(path).catch(() => null)
  if (cached && matches(target, cached)) return
  const response = await fetch(urlOf(given('target-base-url'), targetUrl(target, repository)))
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
  const bytes = await bounded(response.body, target.length)
  if (!matches(target, bytes))
    throw new TrustError('arbitrary-software', 'other bytes than were signed')
  await mkdir(given('target-dir'), { recursive: true })
  await writeFile(`${path}.draft`, bytes)
  await rename(`${path}.draft`, path)
}

/** With consistent snapshots, the digest goes before the file name. */
function targetUrl({ path, hashes }: TargetFile, { trusted }: RefreshedRepository): string {
  if (!trusted.root.consistentSnapshot) return path
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${Object.values(hashes)[0]}.${path.slice(slash)}`
}

async function bounded(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > length) throw new TrustError('endless-data', `more than ${length} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function matches({ length, hashes }: TargetFile, bytes: Buffer): boolean {
  const entries = Object.entries(hashes)
  const right = entries.every(([name, hex]) => createHash(name).update(bytes).digest('hex') === hex)
  return entries.length > 0 && right && bytes.length === length
}

async function session(): Promise<void> {
  let repository: RefreshedRepository | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as SessionCommand
    try {
      if (order.command === 'refresh' || !repository) repository = await refresh(order)
      const found = order.target === undefined ? undefined : await repository.find(order.target)
      say({ ok: true, target: found?.target.toJSON() ?? null })
    } catch (error) {
      say({ ok: false, code: codeOf(error), message: messageOf(error) })
    }
  }
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

function given(option: keyof typeof values): string {
  const value = values[option]
  if (value === undefined) throw new Error(`--${option} is missing`)
  return value
}

function codeOf(error: unknown): string {
  return error instanceof TrustError ? error.code : 'failed'
}

const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  init: async () => store.writeTwice('root.json', await readFile(positionals[1] ?? '')),
  refresh: () => refresh(),
  download,
  session,
}

try {
  const command = COMMANDS[positionals[0] ?? '']
  if (!command) throw new Error(`commands: ${Object.keys(COMMANDS).join(', ')}`)
  await command()
} catch (error) {
  process.stderr.write(`${codeOf(error)}: ${messageOf(error)}\n`)
  process.exitCode = 1
}
