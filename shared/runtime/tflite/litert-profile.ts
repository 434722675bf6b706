import { RuntimeError } from '../errors.ts'
import type { Pointer } from '../native/ffi.ts'
import { type ProfiledEvent, partTimesOf } from '../part-times.ts'
import type { PartTime } from '../runtime.ts'
import type { LitertApi } from './litert-api.ts'

/** Exported since 2.1; of the options they are asked with, litert/c/options/litert_runtime_options.h. */
const PROFILER = {
  of: 'int LiteRtCompiledModelGetProfiler(void* compiled, _Out_ void** out)',
  start: 'int LiteRtStartProfiler(void* profiler)',
  stop: 'int LiteRtStopProfiler(void* profiler)',
  count: 'int LiteRtGetNumProfilerEvents(void* profiler, _Out_ int* count)',
  events: 'int LiteRtGetProfilerEvents(void* profiler, int count, void* events)',
} as const

/** `ProfiledEventData` of litert/c/litert_profiler_event.h, whose memory figures are three sizes each. */
const EVENT = { bytes: 104, tag: 0, type: 8, elapsedUs: 24 } as const

/** Of `tflite::Profiler::EventType`, what one operator of a run is: disjoint. */
const COMPUTED_BY: Readonly<Record<number, string>> = { 2: 'runtime', 8: 'xnnpack' }

/** All of them are single bits. */
const TYPES = new Set(Array.from({ length: 9 }, (_, bit) => 1 << bit))

/** Around the runtime's own work: `LiteRT::Run[Buffer sync]`. */
const AROUND = /^LiteRT::Run\[(.+)\]$/

/** What the runs in `work` took, operator by operator; the model was compiled with `enable_profiling`. @throws RuntimeError */
export async function profiled(
  api: LitertApi,
  compiled: Pointer,
  runs: number,
  work: () => Promise<void>,
): Promise<readonly PartTime[]> {
  const call = api.library.functions(PROFILER)
  const what = 'LiteRT does not profile'
  const profiler = api.made('run-failed', what, (out) => call.of(compiled, out))
  api.ok('run-failed', what, call.start(profiler))
  for (let run = 0; run < runs; run += 1) await work()
  api.ok('run-failed', what, call.stop(profiler))
  const count = [0]
  api.ok('run-failed', what, call.count(profiler, count))
  return partTimesOf(
    eventsOf(api, Number(count[0]), (n, at) => call.events(profiler, n, at)),
    runs,
  )
}

function eventsOf(
  { koffi }: LitertApi,
  count: number,
  copy: (count: number, at: Pointer) => number,
): readonly ProfiledEvent[] {
  const memory = koffi.alloc('uint8_t', Math.max(1, count * 2 * EVENT.bytes)) as Pointer
  try {
    if (copy(count, memory) !== 0) throw new RuntimeError('run-failed', 'LiteRT tells no events')
    const bytes = new DataView(koffi.view(memory, count * EVENT.bytes))
    return Array.from({ length: count }, (_, i) => i * EVENT.bytes).flatMap((at) => {
      const type = bytes.getInt32(at + EVENT.type, true)
      // In another release's struct the tag would be no address: it must not be followed.
      if (!TYPES.has(type))
        throw new RuntimeError('run-failed', 'LiteRT tells events of another form')
      const by = COMPUTED_BY[type]
      if (by === undefined && type !== 1) return []
      const tag = String(koffi.decode(bytes.getBigUint64(at + EVENT.tag, true), 'char', -1))
      const us = Number(bytes.getBigUint64(at + EVENT.elapsedUs, true))
      if (by !== undefined) return [{ by, kind: tag, us }]
      const around = AROUND.exec(tag)?.[1]
      return around === undefined ? [] : [{ by: 'runtime', kind: around, us }]
    })
  } finally {
    koffi.free(memory)
  }
}
