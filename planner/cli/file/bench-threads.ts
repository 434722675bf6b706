import { coreGroups, keptOn, settingsToTry } from '../../../shared/cores/index.ts'
import { bestSetting, type Tried } from '../../../shared/measure/index.ts'
import { benchInChild } from './bench-child.ts'
import type { BenchRecord, BenchRequest } from './bench-run.ts'

/** Of the time for the measurement, what one setting takes; and the least of it, s. */
const SHARE = 1 / 10
const LEAST_S = 0.5

/**
 * Tries threads and cores, each in a process of its own, and measures with the best. @throws BenchError where none runs
 */
export async function benchWithBestThreads(
  request: Omit<BenchRequest, 'threads'>,
  afterBlock: (round: number) => void,
): Promise<BenchRecord> {
  const { engine, model, data, root = '/' } = request
  const seconds = Math.max(LEAST_S, SHARE * request.seconds)
  const groups = coreGroups(root)
  const most = groups.reduce((sum, { cores }) => sum + cores.length, 0) || 1
  const tried: Tried[] = []
  for (const { threads, cores } of settingsToTry(groups, most, keptOn([0]) !== undefined)) {
    const one = { engine, model, data, threads, seconds }
    const { latency } = await benchInChild(one, () => {}, undefined, cores)
    tried.push({ threads, cores, p50Ms: latency.p50Ms, ci95: latency.p50Ci95 })
  }
  const { threads, cores } = bestSetting(tried) ?? { threads: 1, cores: null }
  const record = await benchInChild({ ...request, threads }, afterBlock, undefined, cores)
  return { ...record, tried, ...(cores && { cores }) }
}
