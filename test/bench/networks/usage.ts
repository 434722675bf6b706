/** Loaded before a program (`node --import`): when it ends, tells what it took. */
import { writeFileSync } from 'node:fs'
import { peakBytes } from '../quality/peak.ts'

process.on('exit', () => {
  const path = process.env.FITMENT_BENCH_USAGE
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const processorSeconds = (userCPUTime + systemCPUTime) / 1e6
  const taken = { processorSeconds, peakBytes: peakBytes() }
  if (path !== undefined) writeFileSync(path, JSON.stringify(taken))
})
