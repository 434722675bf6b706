import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pino } from 'pino'
import { ArtifactStore, DiskQuota, OPEN_GATE, Slots } from '../../agent/artifacts/index.ts'
import { DeviceLink, parseEndpoint, RECONNECT_BACKOFF } from '../../agent/link/index.ts'
import type { ArtifactRef } from '../../shared/messages/index.ts'
import { sampleBirth } from '../shared/messages/samples.ts'

/** Blocks in flight, as the design has it. */
const WINDOW = 16

export interface Fetch {
  readonly url: string
  readonly device: string
  readonly directory: string
  readonly artifacts: readonly ArtifactRef[]
}

export interface Fetched {
  /** Wall time of each artifact, list and last fsync included, ms. */
  readonly ms: readonly number[]
  readonly residentBytes: number
}

/** The device's end of the delivery benchmark: a process of its own, downloading with the agent's own parts. */
async function fetchAll({ url, device, directory, artifacts }: Fetch): Promise<Fetched> {
  const link = new DeviceLink({
    endpoint: parseEndpoint(url),
    fleet: 'default',
    device,
    start: randomUUID(),
    backoff: RECONNECT_BACKOFF,
    log: pino({ level: 'silent' }),
    birth: async (epoch) => sampleBirth({ id: randomUUID(), epoch }),
    onOrder: () => {},
  })
  const connected = new Promise<void>((resolve) => link.onConnected(resolve))
  link.start()
  await connected
  const store = new ArtifactStore({
    directory: join(directory, 'artifacts'),
    quota: new DiskQuota(directory, null),
    slots: new Slots(join(directory, 'slots')),
    cacheLimitBytes: 2 ** 30,
    wire: { source: link, gate: OPEN_GATE, monotonic: () => performance.now(), window: WINDOW },
  })
  await store.open()
  const ms: number[] = []
  for (const artifact of artifacts) {
    const start = performance.now()
    await store.fetch(artifact, { giveUpMs: 60_000, signal: new AbortController().signal })
    ms.push(performance.now() - start)
  }
  await link.close()
  return { ms, residentBytes: process.memoryUsage.rss() }
}

process.once('message', (fetch: Fetch) => {
  fetchAll(fetch).then(
    (fetched) => process.send?.(fetched, () => process.exit(0)),
    (error) => {
      process.stderr.write(`${error}\n`)
      process.exit(1)
    },
  )
})
