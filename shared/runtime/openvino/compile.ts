import type { Pointer } from '../native/ffi.ts'
import type { LoadOptions, SessionDetails } from '../runtime.ts'
import { DEFAULT_DEVICE, refuseAbsent, refuseFallback } from './devices.ts'
import { CANNOT_LOAD, type ModelFile } from './model-file.ts'
import type { OpenvinoApi } from './openvino-api.ts'

export interface Compiled {
  readonly at: Pointer
  readonly details: SessionDetails
  /** The CPU computes it, or a part of it. */
  readonly onCpu: boolean
}

/**
 * Of the CPU plugin, also where it is behind AUTO or HETERO. Where the processor has bfloat16 or float16, OpenVINO
 * computes float32 models in these without saying so; answers are compared between runtimes and machines, so float32 stays.
 */
const CPU_PROPERTIES = { NUM_STREAMS: '1', INFERENCE_PRECISION_HINT: 'f32' }

/** 0 is OpenVINO's own choice. */
const THREADS = 'INFERENCE_NUM_THREADS'

const COMPILE_PROPERTIES = { PERFORMANCE_HINT: 'LATENCY' }

const PROFILE_PROPERTIES = { PERF_COUNT: 'YES' }

/** AUTO would begin on the CPU while another device compiles, and go there when that one fails: no latency of anything. */
const AUTO_PROPERTIES = { ENABLE_STARTUP_FALLBACK: 'NO', ENABLE_RUNTIME_FALLBACK: 'NO' }

/** @throws RuntimeError `not-loadable`, `not-accelerated`, `library-unusable` */
export async function compile(
  api: OpenvinoApi,
  file: ModelFile,
  { device = DEFAULT_DEVICE, threads = 0, profile = false }: LoadOptions,
): Promise<Compiled> {
  refuseAbsent(api, device)
  const model = await file.read(api)
  try {
    configureCpu(api, threads)
    const at = compiledFor(api, model, device, profile)
    try {
      return { at, ...factsOf(api, at, device, threads) }
    } catch (error) {
      api.call.freeCompiled(at)
      throw error
    }
  } finally {
    api.call.freeModel(model)
  }
}

/** The core keeps them for all that compile after; nothing compiles in between. */
function configureCpu(api: OpenvinoApi, threads: number): void {
  for (const [name, value] of Object.entries({ ...CPU_PROPERTIES, [THREADS]: String(threads) })) {
    const set = [name, value].flatMap((text) => ['const char*', text])
    const status = api.call.setProperty(api.core, DEFAULT_DEVICE, ...set)
    api.ok('library-unusable', `OpenVINO does not take ${name}=${value}`, status)
  }
}

function compiledFor(api: OpenvinoApi, model: Pointer, device: string, profile: boolean): Pointer {
  const properties = {
    ...COMPILE_PROPERTIES,
    ...(profile && PROFILE_PROPERTIES),
    ...(/^AUTO\b/.test(device) && AUTO_PROPERTIES),
  }
  const texts = Object.entries(properties).flat()
  const typed = texts.flatMap((text) => ['const char*', text])
  return api.made('not-loadable', `${CANNOT_LOAD} for ${device}`, (out) =>
    api.call.compile(api.core, model, device, texts.length, out, ...typed),
  )
}

function factsOf(
  api: OpenvinoApi,
  compiled: Pointer,
  device: string,
  threads: number,
): Omit<Compiled, 'at'> {
  const property = (name: string) =>
    api.text((out) => api.call.compiledProperty(compiled, name, out))
  const executing = (property('EXECUTION_DEVICES') ?? '').split(/[\s,()]+/).filter(Boolean)
  refuseFallback(device, executing)
  // Devices behind others tell neither.
  const used = Number(property(THREADS) ?? threads)
  const precision = property('INFERENCE_PRECISION_HINT')
  return {
    details: {
      device,
      executionDevices: executing.join(','),
      ...(used > 0 && { threads: used }),
      ...(precision !== undefined && { precision }),
    },
    onCpu: executing.includes(DEFAULT_DEVICE),
  }
}
