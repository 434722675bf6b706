import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../broker/index.ts'
import { startFleet } from '../../planner/fleet/index.ts'
import type { ArtifactRef } from '../../shared/artifact.ts'
import { blockListOf } from '../../shared/messages/block-list.ts'
import { formatBytes } from '../../shared/units.ts'
import { MemoryStore } from '../planner/fleet/memory-store.ts'
import { type BenchRow, median } from './bench.ts'
import type { Fetch, Fetched } from './delivery-agent.ts'
import { measureFanOut } from './fan-out.ts'
import { slowWay } from './slow-way.ts'

export const name = 'delivery'

const ARTIFACT_BYTES = 10_000_000
const ROUNDS = 7
const MIB = 1024 * 1024

interface Way {
  readonly name: string
  readonly roundTripMs: number
  readonly goalMBs: number
}

const WAYS: readonly Way[] = [
  { name: '10 MB to one agent, loopback', roundTripMs: 0, goalMBs: 50 },
  { name: '10 MB to one agent, 50 ms round trip', roundTripMs: 50, goalMBs: 12 },
]

/**
 * Planner and broker in this process, the agent's link and downloader in another: from the first
 * request to the verified and synced file. The middle of seven artifacts, none seen before.
 */
export async function run(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'fitment-delivery-'))
  const store = new MemoryStore()
  const broker = await startBroker({ fleets: ['default'] })
  const link = await startFleet({
    connection: { kind: 'embedded', broker },
    fleet: 'default',
    store,
  })
  try {
    const rows: BenchRow[] = []
    for (const way of WAYS) rows.push(await measure(way, broker.port, store, directory))
    rows.push(...(await measureFanOut(broker.port, await offer(store, directory, MIB))))
    return rows
  } finally {
    await link.close()
    await broker.close()
    await rm(directory, { recursive: true })
  }
}

async function measure(
  way: Way,
  brokerPort: number,
  store: MemoryStore,
  directory: string,
): Promise<BenchRow> {
  const artifacts: ArtifactRef[] = []
  for (let round = 0; round < ROUNDS; round += 1) artifacts.push(await offer(store, directory))
  const proxy = way.roundTripMs > 0 ? await slowWay(brokerPort, way.roundTripMs / 2) : undefined
  const { ms, residentBytes } = await fetchInChild({
    url: `mqtt://127.0.0.1:${proxy?.port ?? brokerPort}`,
    device: `bench-${way.roundTripMs}`,
    directory: join(directory, `agent-${way.roundTripMs}`),
    artifacts,
  })
  await proxy?.close()
  const rate = ARTIFACT_BYTES / 1e6 / (median(ms) / 1e3)
  return {
    name: way.name,
    measured: `${rate.toFixed(1)} MB/s (agent ${formatBytes(residentBytes)} resident)`,
    baseline: `${way.goalMBs} MB/s`,
    ratio: rate / way.goalMBs,
    goal: `≥ ${way.goalMBs} MB/s`,
    met: rate >= way.goalMBs,
  }
}

async function offer(
  store: MemoryStore,
  directory: string,
  bytes = ARTIFACT_BYTES,
): Promise<ArtifactRef> {
  const path = join(directory, randomBytes(8).toString('hex'))
  await writeFile(path, randomBytes(bytes))
  const { ref, blockList } = await blockListOf(path)
  await writeFile(`${path}.list`, blockList)
  store.files.set(ref.digest, path)
  store.files.set(ref.blockList, `${path}.list`)
  return ref
}

function fetchInChild(fetch: Fetch): Promise<Fetched> {
  const child = fork(new URL('./delivery-agent.js', import.meta.url))
  return new Promise((resolve, reject) => {
    child.once('message', (fetched) => resolve(fetched as Fetched))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the agent ended with code ${code}`)))
    child.send(fetch)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const row of await run()) {
    process.stdout.write(
      `${row.met ? 'ok ' : 'NOT'} ${row.name}: ${row.measured}, ${row.goal} of ${row.baseline}\n`,
    )
  }
}
