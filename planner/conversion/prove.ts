import { messageOf } from '../../shared/errors.ts'
import {
  loadRuntime,
  type ModelFormat,
  runtimeOfFiles,
  type Session,
} from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { permuted } from '../graph/index.ts'
import { differenceOf } from './difference.ts'
import { ProofError } from './errors.ts'

export interface RunnableModel {
  readonly format: ModelFormat
  readonly bytes: Uint8Array
}

export interface ProvenOutput {
  readonly name: string
  /** Largest over the samples, as a share of the output's range. */
  readonly error: number
}

export interface Proof {
  readonly samples: number
  readonly outputs: readonly ProvenOutput[]
}

export type Samples = readonly Readonly<Record<string, Tensor>>[]

/** How edges of this rank stand in the converted model: its axis i is the source's axis order[i]; undefined as they are. */
export type EdgeOrder = (rank: number) => readonly number[] | undefined

/** @throws ProofError `not-runnable` where a runtime refuses one of the two */
export async function prove(
  source: RunnableModel,
  converted: RunnableModel,
  samples: Samples,
  order: EdgeOrder = () => undefined,
): Promise<Proof> {
  const expected = await answers(source, samples)
  const turned = samples.map((sample) =>
    mapTensors(sample, (one) => turn(one, order(one.shape.length))),
  )
  const actual = await answers(converted, turned)
  const names = Object.keys(expected[0] ?? {})
  const outputs = names.map((name) => {
    const errors = samples.map((_, i) => {
      const [ours, theirs] = [actual[i]?.[name], expected[i]?.[name]]
      return ours && theirs
        ? differenceOf(ours, turn(theirs, order(theirs.shape.length)))
        : Number.POSITIVE_INFINITY
    })
    return { name, error: Math.max(...errors) }
  })
  return { samples: samples.length, outputs }
}

async function answers(
  model: RunnableModel,
  samples: Samples,
): Promise<Readonly<Record<string, Tensor>>[]> {
  const session = await opened(model)
  try {
    const all: Readonly<Record<string, Tensor>>[] = []
    for (const sample of samples) all.push(await answer(session, sample))
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

export async function opened(model: RunnableModel): Promise<Session> {
  const runtime = await loadRuntime(runtimeOfFiles(model.format))
  try {
    return await runtime.load(model.bytes)
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
