import { availableParallelism } from 'node:os'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import { deviceRoot } from '../device-root/index.ts'
import { ChildProcessWatch, type ProbeWatch } from './child-watch.ts'
import { readEnvironment } from './environment.ts'
import { failureOf, ProbeError } from './errors.ts'
import { RecentLooks } from './recent-looks.ts'
import { LATENCY_ALONE, type ProbeRequest } from './request.ts'

/** Of a look at what an entrant answers and needs: its latency is measured elsewhere. */
const HARDLY_MS = 1
/** A process that runs a model of unknown size may take as much. */
const LIKELY_BYTES = 512 * 1024 * 1024

/** A tournament meets the same files again. */
const recentLooks = new RecentLooks()

/**
 * Whether each loads, what it answers, and what memory it takes: in a process for each, as many at once as memory and
 * processors allow.
 * @throws ProbeError `cancelled`
 */
export async function eachLookedAt(
  entrants: readonly ProbeRequest[],
  watch: ProbeWatch,
): Promise<readonly (ProbeRecord | ProbeError)[]> {
  const looks: (ProbeRecord | ProbeError | undefined)[] = entrants.map(recentLooks.of)
  const open = entrants.flatMap((request, place) => (looks[place] ? [] : [{ request, place }]))
  const atOnce = await looksAtOnce(open.map(({ request }) => request))
  let next = 0
  const lookOn = async () => {
    for (let one = open[next++]; one; one = open[next++]) {
      const { answersMs, ...request } = one.request
      const look = { ...request, ...LATENCY_ALONE, measureMs: HARDLY_MS, answersMs }
      const found = await new ChildProcessWatch(look, watch).result().catch(failureOf)
      looks[one.place] = found
      if (!(found instanceof ProbeError)) recentLooks.keep(one.request, found)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lookOn))
  return looks as readonly (ProbeRecord | ProbeError)[]
}

async function looksAtOnce(entrants: readonly ProbeRequest[]): Promise<number> {
  const [first] = entrants
  if (!first) return 0
  const { availableBytes } = await readEnvironment(deviceRoot(first.root))
  const held = first.memoryLimitBytes ?? LIKELY_BYTES
  const byMemory = availableBytes === null ? 1 : Math.floor(availableBytes / held)
  // Nothing that a look finds out depends on how fast it was.
  return Math.max(1, Math.min(byMemory, availableParallelism(), entrants.length))
}
