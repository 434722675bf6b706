import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type { Test } from 'tap'
import {
  type Cluster,
  type JoinOptions,
  joinCluster,
  type Notice,
  shardOf,
} from '../../../planner/cluster/index.ts'
import { type Database, openDatabase } from '../../../planner/storage/index.ts'
import { DATABASES } from '../storage/databases.ts'

/** Short leases: whoever is gone is missed soon. */
export const TTL_MS = 1_200
const DEVICES = Array.from({ length: 500 }, (_, index) => `device-${index}`)

const [, postgres] = DATABASES
export const skip = postgres?.skip ?? false

export interface Ground {
  /** Of a database of its own. */
  readonly url: string
  open(url?: string): Promise<Database>
}

export async function groundOf(t: Test): Promise<Ground> {
  const created = await postgres?.create(t)
  if (!created?.url) throw new Error('no PostgreSQL')
  const { url, data } = created
  let folders = 0
  return {
    url,
    async open(to = url) {
      folders += 1
      const database = await openDatabase({
        data: `${data}/${folders}`,
        url: to,
        sharing: 'together',
      })
      t.teardown(() => database.close().catch(() => {}))
      return database
    },
  }
}

export interface Entered {
  readonly cluster: Cluster
  readonly database: Database
  readonly heard: Notice[]
  leads(): boolean
  /** Of the devices of these tests. */
  owned(): string[]
}

export async function enter(
  t: Test,
  database: Database,
  over: Partial<JoinOptions> = {},
): Promise<Entered> {
  const cluster = await joinCluster({
    ...{ database, fleet: 'default', role: 'planner', anchor: 'a', ttlMs: TTL_MS },
    log: pino({ level: process.env.FITMENT_TEST_LOG ?? 'silent' }, pino.destination(2)),
    ...over,
  })
  const heard: Notice[] = []
  await cluster.start({
    led: () => {},
    gained: () => {},
    released: () => {},
    notice: (notice) => void heard.push(notice),
  })
  t.teardown(() => cluster.close())
  return {
    cluster,
    database,
    heard,
    leads: () => cluster.leads(),
    owned: () => DEVICES.filter((device) => cluster.owns(device)),
  }
}

/** Every device is somebody's, and nobody has twice as many parts as another. */
export function isSharedOut(all: readonly Entered[]): boolean {
  const owned = all.map((one) => one.owned())
  const shares = owned.map((own) => new Set(own.map(shardOf)).size)
  return owned.flat().length === DEVICES.length && Math.max(...shares) <= 2 * Math.min(...shares)
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20)
}

/** A way to the database that can be cut, so that bytes no longer come through and nobody is told. */
export class CutWire {
  readonly url: string
  readonly #sockets: Socket[]
  readonly #close: () => void
  #isCut = false

  private constructor(url: string, sockets: Socket[], close: () => void) {
    this.url = url
    this.#sockets = sockets
    this.#close = close
  }

  static async to(t: Test, url: string): Promise<CutWire> {
    const target = new URL(url)
    const sockets: Socket[] = []
    const server = createServer((near) => {
      const far = connect(Number(target.port || 5432), target.hostname)
      sockets.push(near, far)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {})
        from.on('data', (bytes) => {
          if (!wire.#isCut) to.write(bytes)
        })
        from.on('close', () => {
          if (!wire.#isCut) to.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const through = new URL(url)
    through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const wire: CutWire = new CutWire(through.href, sockets, () => server.close())
    t.teardown(() => wire.end())
    return wire
  }

  cut(): void {
    this.#isCut = true
  }

  end(): void {
    this.#close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
