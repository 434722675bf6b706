import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import { observationsSchema } from '../../shared/messages/index.ts'
import {
  binOf,
  binsOf,
  type Channel,
  type PortFeatures,
  type PortSide,
  plansOf,
  QuantileSketch,
  type ReferenceSketch,
} from '../../shared/sketch/index.ts'
import type { Observation, ObservedSample } from './observation-line.ts'

/** The bins that a variant's observations are counted in. */
export interface Reference {
  readonly digest: Digest
  readonly sketch: ReferenceSketch
}

/** A window as it is kept on disk: what would be sent if it ended now, but for the host's figures. */
export const keptWindowSchema = observationsSchema
  .omit({ host: true, check: true })
  .extend({ restarts: z.number().int().nonnegative() })
export type KeptWindow = z.infer<typeof keptWindowSchema>

export const REFUSALS = ['not-finite', 'wrong-shape', 'other-variant', 'not-looked-into'] as const
type RefusalWord = (typeof REFUSALS)[number]

/** Why a sample was not counted, for whoever sent it. */
export type Taken = 'counted' | { readonly refused: RefusalWord; readonly why: string }

/** Why an inference is worth a label. */
export type Strangeness = 'low-confidence' | 'outside'

/** Below it the best of a model's answers is no answer. */
const UNSURE = 0.5

/** Counts of one variant since the last report. Its size does not grow with what is observed. */
export class Window {
  readonly variant: Digest
  readonly reference: Reference | null
  readonly #plans: readonly PortFeatures[]
  readonly #latency: QuantileSketch
  readonly #channels: number[][]
  readonly #refused: Map<string, number>
  readonly restarts: number
  from: string
  /** Of this window in earlier runs of the agent. */
  readonly earlierMs: number
  inferences: number

  constructor(variant: Digest, reference: Reference | null, from: Date, kept?: KeptWindow) {
    this.variant = variant
    this.reference = reference
    this.#plans = reference ? plansOf(reference.sketch) : []
    const bins = reference?.sketch.channels.map(binsOf) ?? []
    // Counts in the bins of another reference are counts of something else.
    const same = kept?.reference === (reference?.digest ?? null)
    const fits = same && bins.every((many, i) => kept?.channels[i]?.length === many)
    this.#channels =
      kept && fits
        ? kept.channels.map((counts) => [...counts])
        : bins.map((many) => new Array<number>(many).fill(0))
    this.#latency = kept ? QuantileSketch.from(kept.latency) : new QuantileSketch()
    this.#refused = new Map(Object.entries(kept?.refused ?? {}))
    this.restarts = kept ? kept.restarts + 1 : 0
    this.from = kept?.from ?? from.toISOString()
    this.earlierMs = kept?.windowMs ?? 0
    this.inferences = kept?.inferences ?? 0
  }

  addLatency({ latencyMs = [], latency }: Pick<Observation, 'latencyMs' | 'latency'>): void {
    for (const ms of Array.isArray(latencyMs) ? latencyMs : [latencyMs])
      if (ms === null || !this.#latency.add(ms)) this.refuse('not-finite')
    if (latency) this.#latency.merge(QuantileSketch.from(latency))
  }

  refuse(why: RefusalWord, times = 1): void {
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + times)
  }

  /** One inference's outputs, and its inputs where they were asked for: all of it counts, or nothing. */
  addSample(sample: ObservedSample): Taken {
    if (this.reference === null) return 'counted'
    const numbers: (readonly number[] | null)[] = []
    for (const plan of this.#plans) {
      const values = this.#valuesOf(sample, plan)
      if (values === undefined) {
        numbers.push(null)
        continue
      }
      const wrong = this.#wrongShape(plan, values) ?? notFinite(plan, values)
      if (wrong !== undefined) {
        this.refuse(wrong.refused)
        return wrong
      }
      numbers.push(plan.of(values as number[]))
    }
    const unknown = this.#unknownPort(sample)
    if (unknown !== undefined) {
      this.refuse('wrong-shape')
      return { refused: 'wrong-shape', why: unknown }
    }
    this.#count(numbers)
    return 'counted'
  }

  /** How an inference that was counted stands out; null: it does not. */
  strangeness(sample: ObservedSample): Strangeness | null {
    const channels = this.reference?.sketch.channels ?? []
    const numbers = this.#plans.flatMap((plan) => {
      const values = this.#valuesOf(sample, plan)
      return values ? plan.of(values as number[]) : new Array<undefined>(plan.names.length)
    })
    const isUnsure = channels.some(
      ({ name }, i) => name.endsWith(' confidence') && (numbers[i] ?? 1) < UNSURE,
    )
    if (isUnsure) return 'low-confidence'
    return channels.some((channel, i) => isOutside(channel, numbers[i])) ? 'outside' : null
  }

  kept(windowMs: number): KeptWindow {
    return {
      variant: this.variant,
      from: this.from,
      windowMs: Math.round(windowMs),
      inferences: this.inferences,
      latency: this.#latency.state(),
      reference: this.reference?.digest ?? null,
      channels: this.#channels.map((counts) => [...counts]),
      refused: Object.fromEntries(this.#refused),
      restarts: this.restarts,
    }
  }

  /** By its name; where model and sample have one only, whatever it is called. */
  #valuesOf(
    sample: ObservedSample,
    { side, port }: PortFeatures,
  ): readonly (number | null)[] | undefined {
    const given = (side === 'input' ? sample.inputs : sample.outputs) ?? {}
    if (Object.hasOwn(given, port)) return given[port]
    const alone = Object.values(given)
    return alone.length === 1 && this.#portsOf(side).length === 1 ? alone[0] : undefined
  }

  #portsOf(side: PortSide): ReferenceSketch['inputs'] {
    const { sketch } = this.reference ?? {}
    return (side === 'input' ? sketch?.inputs : sketch?.outputs) ?? []
  }

  #count(numbers: readonly (readonly number[] | null)[]): void {
    const channels = this.reference?.sketch.channels ?? []
    let at = 0
    this.#plans.forEach((plan, p) => {
      plan.names.forEach((_, i) => {
        const channel = channels[at]
        const counts = this.#channels[at]
        const value = numbers[p]?.[i]
        at += 1
        if (channel === undefined || counts === undefined || value === undefined) return
        const bin = binOf(channel, value)
        counts[bin] = (counts[bin] as number) + 1
      })
    })
  }

  #wrongShape(
    plan: PortFeatures,
    values: readonly unknown[],
  ): Exclude<Taken, 'counted'> | undefined {
    const fits = plan.elements === null ? values.length > 0 : values.length === plan.elements
    if (fits) return undefined
    const why = `${plan.side} "${plan.port}" has ${plan.elements ?? 'some'} values, not ${values.length}: are they of another model?`
    return { refused: 'wrong-shape', why }
  }

  /** A name that the model does not have is another model's. */
  #unknownPort(sample: ObservedSample): string | undefined {
    for (const side of ['input', 'output'] as const) {
      const known = this.#portsOf(side)
      const given = Object.keys((side === 'input' ? sample.inputs : sample.outputs) ?? {})
      const other = given.find((name) => !known.some((port) => port.name === name))
      if (other === undefined || (given.length === 1 && known.length === 1)) continue
      const names = known.map(({ name }) => `"${name}"`).join(', ')
      return `the model has no ${side} "${other.slice(0, 80)}": it has ${names}`
    }
    return undefined
  }
}

/** Further from nine tenths of the reference than these are wide. */
function isOutside(channel: Channel, value: number | undefined): boolean {
  if (channel.kind !== 'numbers' || value === undefined) return false
  const low = channel.edges[0] as number
  const high = channel.edges.at(-1) as number
  return value < low - (high - low) || value > high + (high - low)
}

function notFinite(
  plan: PortFeatures,
  values: readonly (number | null)[],
): Exclude<Taken, 'counted'> | undefined {
  if (values.every((value) => value !== null && Number.isFinite(value))) return undefined
  return { refused: 'not-finite', why: `${plan.side} "${plan.port}" holds NaN or infinite values` }
}
