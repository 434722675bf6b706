import { type Family, family } from './families.ts'

/** What every process says of itself, by the names that Prometheus's own clients use. */
export function processFamilies(): readonly Family[] {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const startedAt = Date.now() / 1000 - process.uptime()
  return [
    family('gauge', 'process_resident_memory_bytes', 'Memory that the process holds.', [
      { value: rss },
    ]),
    family('gauge', 'nodejs_heap_size_used_bytes', 'Of it, objects.', [{ value: heapUsed }]),
    family('counter', 'process_cpu_seconds_total', 'Processor time of the process.', [
      { value: (user + system) / 1e6 },
    ]),
    family('gauge', 'process_start_time_seconds', 'When the process began, by its clock.', [
      { value: Math.round(startedAt) },
    ]),
  ]
}
