import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectAsync } from 'mqtt'
import { formatBytes } from '../../shared/units.ts'
import { topicOf } from '../broker/clients.ts'
import { burstsOf, seededRandom } from '../broker/fuzz.ts'

const MAIN = fileURLToPath(new URL('../../planner/cli/main.js', import.meta.url))
/** Clients at the same time. */
const CLIENTS = 16
/** Memory counts from here on, as a share of the frames: by then the heap has its working size. */
const WARM = 0.2
const GROWTH_BYTES = 32 * 2 ** 20

export interface FrameFindings {
  readonly frames: number
  readonly connections: number
  readonly warmBytes: number
  readonly endBytes: number
  readonly broken: readonly string[]
}

/** Random and mutated frames of many clients against the broker as it is installed, in a process of its own. */
export async function fuzzFrames(frames: number, seed: number): Promise<FrameFindings> {
  const data = mkdtempSync(join(tmpdir(), 'fuzz-broker-'))
  const child = spawn(process.execPath, [MAIN, 'broker', '--data', data, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'exit')
  try {
    const port = await portOf(child.stdout)
    const url = `mqtt://127.0.0.1:${port}`
    const bystander = await connectAsync(url, { clientId: 'bystander', reconnectPeriod: 0 })
    const told = { sent: 0, connections: 0, warmBytes: 0 }
    const run = { port, frames, told, pid: child.pid ?? 0 }
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => babble(run, seed + i, i)))
    const broken: string[] = []
    if (child.exitCode !== null || child.signalCode !== null) broken.push('the broker died')
    else if (!bystander.connected) broken.push('a client that did nothing lost its connection')
    else await bystander.publishAsync(topicOf('bystander', 'reports'), 'x', { qos: 1 })
    const endBytes = residentBytes(run.pid)
    if (endBytes > told.warmBytes + GROWTH_BYTES) {
      broken.push(`memory grew from ${formatBytes(told.warmBytes)} to ${formatBytes(endBytes)}`)
    }
    await bystander.endAsync(true)
    const { sent, connections, warmBytes } = told
    return { frames: sent, connections, warmBytes, endBytes, broken }
  } finally {
    child.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true, force: true })
  }
}

interface Run {
  readonly port: number
  readonly frames: number
  readonly pid: number
  readonly told: { sent: number; connections: number; warmBytes: number }
}

/** One client after another, each until it is thrown out or has nothing more to say. */
async function babble({ port, frames, told, pid }: Run, seed: number, lane: number): Promise<void> {
  const random = seededRandom(seed)
  for (let client = 0; told.sent < frames; client += 1) {
    const socket = await open(port)
    told.connections += 1
    for (const burst of burstsOf(`fuzz-${lane}-${client}`, random)) {
      const isTaken = socket.write(Buffer.concat(burst))
      told.sent += burst.length
      if (told.warmBytes === 0 && told.sent >= WARM * frames) told.warmBytes = residentBytes(pid)
      if (!isTaken && !socket.destroyed) await heard(socket, 'drain')
      if (socket.destroyed || told.sent >= frames) break
    }
    socket.end()
    if (!socket.destroyed) await heard(socket, 'close')
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  await heard(socket, 'connect')
  return socket
}

/** Or the end of the socket, which is no error here. */
function heard(socket: Socket, event: 'drain' | 'connect' | 'close'): Promise<void> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve())
    socket.once('close', () => resolve())
  })
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  let text = ''
  for await (const chunk of output) {
    text += chunk
    const [, port] = /mqtt:\/\/[^:]+:(\d+)/.exec(text) ?? []
    if (port !== undefined) return Number(port)
  }
  throw new Error(`the broker did not start: ${text}`)
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}
