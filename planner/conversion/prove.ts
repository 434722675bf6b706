import { messageOf } from '../../shared/errors.ts'
import { sqnrDb } from '../../shared/measure/index.ts'
import {
  loadRuntime,
  type ModelFormat,
  type OnnxruntimeLoadOptions,
  runtimeOfFiles,
  type Session,
} from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { permuted } from '../graph/index.ts'
import { differenceOf, energyOf } from './difference.ts'
import { ProofError } from './errors.ts'
import { collectGarbage } from './memory.ts'

export interface RunnableModel {
  readonly format: ModelFormat
  readonly bytes: Uint8Array
}

export interface ProvenOutput {
  readonly name: string
  /** Largest over the samples, as a share of the output's range. */
  readonly error: number
  /** Signal to noise over the samples, dB: what counts where both round to codes, as one step more is no fault. */
  readonly sqnrDb: number
  /** Codes of quantized numbers. */
  readonly codes: boolean
}

export interface Proof {
  readonly samples: number
  readonly outputs: readonly ProvenOutput[]
}

export type Samples = readonly Readonly<Record<string, Tensor>>[]

const CODES: ReadonlySet<string> = new Set(['int8', 'uint8', 'int16'])

/** How edges of this rank stand in the converted model: its axis i is the source's axis order[i]; undefined as they are. */
export type EdgeOrder = (rank: number) => readonly number[] | undefined

export interface ProofOptions {
  readonly order?: EdgeOrder
  /** Samples after the first `atLeast` are run while the source has not taken longer; all where absent. */
  readonly enoughMs?: number
  readonly atLeast?: number
}

/**
 * Both on the same samples, one after the other, so that one of them is in memory.
 * @throws ProofError `not-runnable` where a runtime refuses one of the two
 */
export async function prove(
  source: RunnableModel,
  converted: RunnableModel,
  given: Samples,
  { order = () => undefined, ...limits }: ProofOptions = {},
): Promise<Proof> {
  const expected = await answers(source, given, limits)
  const samples = given.slice(0, expected.length)
  const turned = samples.map((sample) =>
    mapTensors(sample, (one) => turn(one, order(one.shape.length))),
  )
  const actual = await answers(converted, turned)
  const names = Object.keys(expected[0] ?? {})
  const outputs = names.map((name) => {
    const pairs = samples.map((_, i) => {
      const [ours, theirs] = [actual[i]?.[name], expected[i]?.[name]]
      return ours && theirs && { ours, theirs: turn(theirs, order(theirs.shape.length)) }
    })
    const errors = pairs.map((pair) =>
      pair ? differenceOf(pair.ours, pair.theirs) : Number.POSITIVE_INFINITY,
    )
    const energies = pairs.map((pair) =>
      pair ? energyOf(pair.ours, pair.theirs) : { signal: 0, noise: Number.POSITIVE_INFINITY },
    )
    const sum = (of: 'signal' | 'noise') => energies.reduce((all, one) => all + one[of], 0)
    return {
      name,
      error: Math.max(...errors),
      sqnrDb: sqnrDb(sum('signal'), sum('noise')),
      codes: CODES.has(expected[0]?.[name]?.type ?? ''),
    }
  })
  return { samples: samples.length, outputs }
}

async function answers(
  model: RunnableModel,
  samples: Samples,
  { enoughMs = Number.POSITIVE_INFINITY, atLeast = 1 }: Omit<ProofOptions, 'order'> = {},
): Promise<Readonly<Record<string, Tensor>>[]> {
  collectGarbage()
  const session = await opened(model)
  const started = performance.now()
  try {
    const all: Readonly<Record<string, Tensor>>[] = []
    for (const sample of samples) {
      if (all.length >= atLeast && performance.now() - started > enoughMs) break
      all.push(await answer(session, sample))
    }
    return all
  } catch (cause) {
    throw notRunnable(model, 'does not run', cause)
  } finally {
    await session.close()
  }
}

/** Outputs of a run, which are the runtime's memory until the next one, as copies. */
export async function answer(
  session: Session,
  sample: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  return mapTensors(await session.run(sample), (one) => ({ ...one, data: one.data.slice() }))
}

/**
 * An .onnx is run as it is written: what a processor's integer kernels make of one that rounds is no measure, and an optimiser
 * keeps two copies of a large one.
 */
export async function opened(model: RunnableModel): Promise<Session> {
  const runtime = await loadRuntime(runtimeOfFiles(model.format))
  try {
    const options: OnnxruntimeLoadOptions =
      model.format === 'onnx' ? { optimization: 'disabled' } : {}
    return await runtime.load(model.bytes, options)
  } catch (cause) {
    throw notRunnable(model, 'does not load', cause)
  }
}

function notRunnable({ format }: RunnableModel, what: string, cause: unknown): ProofError {
  const reason = messageOf(cause).split('\n')[0]
  return new ProofError(
    'not-runnable',
    `the .${format} file ${what} in ${runtimeOfFiles(format)}: ${reason}`,
    {},
    { cause },
  )
}

function mapTensors(
  tensors: Readonly<Record<string, Tensor>>,
  change: (one: Tensor) => Tensor,
): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, one]) => [name, change(one)]))
}

/** Dimension i of the result is dimension order[i]. */
export function turn(tensor: Tensor, order: readonly number[] | undefined): Tensor {
  if (order === undefined || order.length !== tensor.shape.length) return tensor
  const shape = order.map((axis) => tensor.shape[axis] as number)
  return { ...tensor, shape, data: permuted(tensor.data, tensor.shape, order) }
}
