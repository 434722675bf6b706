import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { MqttClient } from 'mqtt'
import { generate, type Packet } from 'mqtt-packet'
import { z } from 'zod'
import { formatBytes } from '../../shared/units.ts'
import {
  connectDevice,
  connectPacket,
  frozenDevice,
  nextBytes,
  rawSocket,
  topicOf,
} from '../broker/clients.ts'
import type { Benchmark, BenchRow } from './bench.ts'

const MAIN = fileURLToPath(new URL('../../planner/cli/main.js', import.meta.url))
const FROZEN = 120
const OTHERS = 20
const PINGS = 100
const PAUSE_MS = 20
const GOAL_MS = 100
const BLOCK = Buffer.alloc(64 * 1024)
/** What the kernel takes for each that does not read, and what the broker keeps for it, and more. */
const BLOCKS_EACH = 160
const MIB = 2 ** 20

/** Issue 5: who does not read, who floods and who lies about lengths costs the others nothing. */
export const brokerBenchmark: Benchmark = {
  name: 'broker',
  unavailable: () => (process.platform === 'linux' ? undefined : 'reads /proc'),
  run: async () => {
    const alone = await withBroker((at) => pingsOf(at))
    const frozen = await withBroker(async (at) => {
      await freeze(at)
      return pingsOf(at)
    })
    const flooded = await withBroker(async (at) => {
      const stop = await flood(at)
      try {
        return await pingsOf(at)
      } finally {
        stop()
      }
    })
    return [
      pingRow(`ping of ${OTHERS} devices, ${FROZEN} others frozen`, frozen, alone),
      pingRow(`ping of ${OTHERS} devices, one other flooding`, flooded, alone),
      await withBroker(longConnect),
    ]
  },
}

interface Place {
  readonly port: number
  readonly pid: number
  readonly secret: string
  readonly closing: { teardown(close: () => unknown): void }
}

/** The broker as it is installed, in a process of its own. */
async function withBroker<T>(work: (at: Place) => Promise<T>): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'bench-broker-'))
  const child = spawn(process.execPath, [MAIN, 'broker', '--data', data, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'exit')
  const closers: (() => unknown)[] = []
  try {
    let text = ''
    for await (const chunk of child.stdout) {
      text += chunk
      if (text.trimEnd().endsWith('}')) break
    }
    const told = z.object({ url: z.string(), secretFile: z.string() }).parse(JSON.parse(text))
    return await work({
      port: Number(new URL(told.url).port),
      pid: child.pid ?? 0,
      secret: readFileSync(told.secretFile, 'utf8').trim(),
      closing: { teardown: (close) => void closers.push(close) },
    })
  } finally {
    for (const close of closers) close()
    child.kill('SIGKILL')
    await ended
    rmSync(data, { recursive: true, force: true })
  }
}

/** Times from a publish to its acknowledgement, ms, of all devices. */
async function pingsOf({ port, closing }: Place): Promise<readonly number[]> {
  const clients = await Promise.all(
    Array.from({ length: OTHERS }, (_, i) => connectDevice(closing, port, `other-${i}`)),
  )
  const times = await Promise.all(clients.map((client, i) => ping(client, `other-${i}`)))
  return times.flat().sort((a, b) => a - b)
}

async function ping(client: MqttClient, device: string): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < PINGS; i += 1) {
    const started = performance.now()
    await client.publishAsync(topicOf(device, 'reports'), 'x', { qos: 1 })
    times.push(performance.now() - started)
    await sleep(PAUSE_MS * (0.5 + Math.random()))
  }
  return times
}

/** Subscribers that take nothing any more, each with more on its way than it has room for. */
async function freeze({ port, secret, closing }: Place): Promise<void> {
  const planner = await connectDevice(closing, port, `planner:default:${process.pid}`, {
    username: 'planner',
    password: secret,
  })
  const sockets: Socket[] = []
  for (let i = 0; i < FROZEN; i += 1) {
    sockets.push(await frozenDevice(closing, port, `frozen-${i}`))
  }
  for (let i = 0; i < FROZEN; i += 1) {
    for (let block = 0; block < BLOCKS_EACH; block += 1) {
      await planner.publishAsync(topicOf(`frozen-${i}`, 'blocks'), BLOCK)
    }
  }
}

/** One device that says reports as fast as its socket takes them. */
async function flood({ port, closing }: Place): Promise<() => void> {
  const socket = await rawSocket(closing, port)
  const letIn = nextBytes(socket)
  socket.write(connectPacket('flooder'))
  await letIn
  const publish = { cmd: 'publish', qos: 0, retain: false, dup: false } as const
  const frame = generate({
    ...publish,
    topic: topicOf('flooder', 'reports'),
    payload: 'x',
  } as Packet)
  const burst = Buffer.concat(Array<Buffer>(1000).fill(frame))
  let isOver = false
  const pump = () => {
    while (!isOver && socket.write(burst));
  }
  socket.on('drain', pump)
  pump()
  return () => {
    isOver = true
  }
}

function pingRow(name: string, times: readonly number[], alone: readonly number[]): BenchRow {
  const p99 = (sorted: readonly number[]) => sorted[Math.floor(0.99 * sorted.length)] ?? Number.NaN
  return {
    name,
    measured: `p99 ${p99(times).toFixed(1)} ms`,
    baseline: `p99 ${p99(alone).toFixed(1)} ms alone`,
    ratio: p99(times) / p99(alone),
    goal: `< ${GOAL_MS} ms`,
    met: p99(times) < GOAL_MS,
  }
}

/** A CONNECT that claims 200 MB, sent as far as anybody takes it. */
async function longConnect({ port, pid, closing }: Place): Promise<BenchRow> {
  const before = residentBytes(pid)
  const socket = await rawSocket(closing, port)
  socket.write(Buffer.from([0x10, 0x80, 0xc2, 0xd7, 0x5f]))
  let sent = 5
  while (!socket.destroyed && sent < 200e6) {
    socket.write(BLOCK)
    sent += BLOCK.length
    await sleep(1)
  }
  const grown = Math.max(0, residentBytes(pid) - before)
  return {
    name: 'CONNECT of 200 MB before authentication',
    measured: `closed after ${formatBytes(socket.bytesWritten)}, memory +${formatBytes(grown)}`,
    baseline: formatBytes(200e6),
    ratio: grown / 200e6,
    goal: '< 8 MiB kept',
    met: socket.destroyed && grown < 8 * MIB,
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}
