import type { Entrant, Prober } from '../../../planner/probing/index.ts'
import type { QualityRecord } from '../../../shared/measure/index.ts'
import { Draws } from './randomness.ts'
import { Surroundings, type Weather } from './surroundings.ts'

/** A class of devices whose true latencies are known. */
export interface ModelledClass {
  readonly name: string
  readonly entrants: readonly Entrant[]
  readonly devices: readonly ModelledDevice[]
}

export interface ModelledDevice {
  readonly prober: Prober
  readonly surroundings: Surroundings
  /** Undisturbed ms of each candidate here. */
  readonly truth: ReadonlyMap<string, number>
  /** How much others' load costs each candidate: caches and memory are not alike to all. */
  readonly sensitivity: ReadonlyMap<string, number>
  readonly draws: Draws
}

const ENGINES = ['litert', 'onnxruntime', 'tflite'] as const
/** Size of the file, and what its latency is to float32's, from … to: near enough to each other that choosing is hard. */
const SCHEMES = {
  float32: { bytes: 400_000, from: 1, to: 1 },
  float16: { bytes: 201_000, from: 0.98, to: 1.08 },
  'dynamic-w8': { bytes: 108_000, from: 0.5, to: 0.95 },
  'static-w8a8': { bytes: 112_000, from: 0.35, to: 0.9 },
} as const

/** Devices of one class run alike within this; one of them is faster in all within that. */
const ALIKE = 0.01
const FASTER = 0.03

export function modelledFleet(
  seed: number,
  classes: number,
  devicesEach: number,
  weather: Weather,
): readonly ModelledClass[] {
  return Array.from({ length: classes }, (_, i) => {
    const draws = new Draws(1_000 * seed + i)
    const floatMs = Math.exp(draws.uniform(Math.log(0.3), Math.log(60)))
    const latencies = new Map<string, number>()
    const entrants = ENGINES.flatMap((runtime) => {
      const engine = draws.factor(0.12)
      return Object.entries(SCHEMES).map(([scheme, { bytes, from, to }]): Entrant => {
        const key = `${scheme} ${runtime}`
        latencies.set(key, floatMs * engine * draws.uniform(from, to))
        const size = Math.round(bytes * (runtime === 'onnxruntime' ? 1.03 : 1))
        const host = { whole: PERFECT, slice: PERFECT }
        return { key, scheme, runtime, bytes: size, yardstick: `float32 ${runtime}`, host }
      })
    })
    const devices = Array.from({ length: devicesEach }, (_, d) =>
      modelledDevice(
        new Draws(1_000_000 * seed + 1_000 * i + d),
        `c${i}-d${d}`,
        latencies,
        weather,
      ),
    )
    return { name: `seed ${seed} class ${i}`, entrants, devices }
  })
}

function modelledDevice(
  draws: Draws,
  device: string,
  latencies: ReadonlyMap<string, number>,
  weather: Weather,
): ModelledDevice {
  const own = draws.factor(FASTER)
  const keys = [...latencies.keys()]
  return {
    prober: {
      device,
      online: true,
      busy: 0,
      storageBytes: null,
      memoryBytes: null,
      traits: { cores: 4, memoryBytes: 4e9, maxMhz: 1500 },
    },
    truth: new Map(keys.map((key) => [key, (latencies.get(key) ?? 1) * own * draws.factor(ALIKE)])),
    sensitivity: new Map(keys.map((key) => [key, draws.uniform(0.3, 1.7)])),
    surroundings: new Surroundings(draws, weather),
    draws,
  }
}

/** Accuracy is not what is simulated: all candidates answer alike. */
const PERFECT: QualityRecord = {
  samples: 100,
  accuracy: 0.9,
  accuracyCi95: null,
  referenceAccuracy: 0.9,
  agreement: 1,
  agreementCi95: null,
  sqnrDb: 60,
  maxAbsError: 0,
  meanAbsError: 0,
  outputs: [],
  notFinite: 0,
  mcnemar: null,
  notes: [],
}
