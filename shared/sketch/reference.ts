import { z } from 'zod'
import { parseJson } from '../json.ts'
import {
  type Channel,
  channelSchema,
  classesChannel,
  MOST_CHANNELS,
  numbersChannel,
} from './channels.ts'
import { featuresOf, type PortFeatures, type PortInfo } from './features.ts'

const portSchema = z.object({
  name: z.string().max(256),
  shape: z.array(z.number().int()).max(16),
})

/** `sketch.json`: what a variant's inputs and outputs look like over the data it was made and tested with. */
export const referenceSketchSchema = z.object({
  v: z.literal(1),
  inputs: z.array(portSchema).max(64),
  outputs: z.array(portSchema).max(64),
  /** In the order of `featuresOf` the inputs, then the outputs. */
  channels: z.array(channelSchema).max(MOST_CHANNELS),
})
export type ReferenceSketch = z.infer<typeof referenceSketchSchema>

/** @throws SyntaxError, ZodError */
export function parseReferenceSketch(text: string): ReferenceSketch {
  return parseJson(referenceSketchSchema, text)
}

/** Values by the name of an input or output, of one sample. */
export type PortValues = Readonly<Record<string, ArrayLike<number>>>

/** Gathers numbers of samples; memory is one number a channel and sample. */
export class ReferenceBuilder {
  readonly #inputs: readonly PortInfo[]
  readonly #outputs: readonly PortInfo[]
  readonly #plans: { readonly plan: PortFeatures; readonly columns: number[][] }[]

  constructor(inputs: readonly PortInfo[], outputs: readonly PortInfo[]) {
    this.#inputs = inputs
    this.#outputs = outputs
    this.#plans = plansOf({ inputs, outputs }).map((plan) => ({
      plan,
      columns: plan.names.map(() => []),
    }))
  }

  add(side: 'input' | 'output', values: PortValues): void {
    for (const { plan, columns } of this.#plans) {
      const given = plan.side === side ? values[plan.port] : undefined
      if (given === undefined) continue
      plan.of(given).forEach((number, i) => {
        if (Number.isFinite(number)) columns[i]?.push(number)
      })
    }
  }

  finish(): ReferenceSketch {
    const channels = this.#plans.flatMap(({ plan, columns }) =>
      columns.map((values, i): Channel => {
        const name = plan.names[i] as string
        if (plan.classes.has(i)) return classesChannel(name, values)
        return values.length === 0 ? EMPTY(name) : numbersChannel(name, values)
      }),
    )
    const bare = ({ name, shape }: PortInfo) => ({ name, shape: [...shape] })
    return { v: 1, inputs: this.#inputs.map(bare), outputs: this.#outputs.map(bare), channels }
  }
}

/** Nothing is known of it, so nothing is told of it. */
const EMPTY = (name: string): Channel => ({ kind: 'numbers', name, edges: [0], counts: [0, 0] })

/** How numbers come from the values of a model's inputs and outputs, in the order of a reference's channels. */
export function plansOf({
  inputs,
  outputs,
}: Pick<ReferenceSketch, 'inputs' | 'outputs'> | PortsOf): PortFeatures[] {
  return [...featuresOf(inputs, 'input'), ...featuresOf(outputs, 'output')]
}

interface PortsOf {
  readonly inputs: readonly PortInfo[]
  readonly outputs: readonly PortInfo[]
}
