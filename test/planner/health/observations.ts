import type { Observations } from '../../../shared/messages/index.ts'
import {
  binOf,
  binsOf,
  QuantileSketch,
  ReferenceBuilder,
  type ReferenceSketch,
} from '../../../shared/sketch/index.ts'
import { normalFrom, type Random, seededRandom } from '../../../shared/statistics/index.ts'

/** A model of one number in and one out. */
export function referenceOf(samples = 500, seed = 1): ReferenceSketch {
  const random = seededRandom(seed)
  const builder = new ReferenceBuilder([{ name: 'x', shape: [1] }], [{ name: 'y', shape: [1] }])
  for (let i = 0; i < samples; i += 1) {
    builder.add('input', { x: [normalFrom(random)] })
    builder.add('output', { y: [normalFrom(random)] })
  }
  return builder.finish()
}

export interface SeenOptions {
  readonly variant: string
  readonly reference: ReferenceSketch
  /** Digest by which the reference is known. */
  readonly digest: string
  readonly samples?: number
  readonly latencyMs?: (random: Random) => number
  /** Of the output. */
  readonly value?: (random: Random) => number
  readonly seed?: number
}

/** A window as a device tells it. */
export function seenOf({
  variant,
  reference,
  digest,
  samples = 600,
  latencyMs = (random) => 4 + random(),
  value = normalFrom,
  seed = 2,
}: SeenOptions): Observations {
  const random = seededRandom(seed)
  const latency = new QuantileSketch()
  const channels = reference.channels.map((channel) => new Array<number>(binsOf(channel)).fill(0))
  for (let i = 0; i < samples; i += 1) {
    latency.add(latencyMs(random))
    const drawn = [normalFrom(random), value(random)]
    reference.channels.forEach((channel, c) => {
      const counts = channels[c] as number[]
      const bin = binOf(channel, drawn[c] as number)
      counts[bin] = (counts[bin] as number) + 1
    })
  }
  return {
    variant,
    from: '2026-11-23T11:00:00.000Z',
    windowMs: 3_600_000,
    inferences: samples,
    latency: latency.state(),
    reference: digest,
    channels,
    refused: {},
    host: { hottestCelsius: 55, throttled: 0, availableBytes: 1e8, restarts: 0 },
    check: null,
  }
}
