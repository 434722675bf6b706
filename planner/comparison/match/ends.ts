import type { GraphTensor, TensorId } from '../../graph/index.ts'
import { ComparisonError } from '../errors.ts'
import type { OpenedModel } from '../opened-model.ts'
import { sameShape } from './activations.ts'

/** Float tensor → quantized tensor, where callers put data in and get it out. */
export interface Ends {
  readonly inputs: ReadonlyMap<TensorId, TensorId>
  readonly outputs: ReadonlyMap<TensorId, TensorId>
}

/** @throws ComparisonError `models-differ` */
export function pairEnds(float: OpenedModel, quantized: OpenedModel): Ends {
  return {
    inputs: pairEnd('input', float, quantized),
    outputs: pairEnd('output', float, quantized),
  }
}

/** By name where all names agree, else by position: a converter may rename the ends of a model. */
function pairEnd(
  end: 'input' | 'output',
  float: OpenedModel,
  quantized: OpenedModel,
): Map<TensorId, TensorId> {
  const ours = endTensors(float, end)
  const theirs = endTensors(quantized, end)
  if (ours.length !== theirs.length) {
    throw differ(float, quantized, `it has ${count(theirs.length, end)} instead of ${ours.length}`)
  }
  const named = ours.every(({ name }) => theirs.some((tensor) => tensor.name === name))
  return new Map(
    ours.map((tensor, i) => {
      const other = named ? theirs.find(({ name }) => name === tensor.name) : theirs[i]
      if (other === undefined || !sameShape(tensor, other)) {
        throw differ(
          float,
          quantized,
          `its ${end} "${other?.name}" is ${print(other)} where ${print(tensor)} is wanted`,
        )
      }
      return [tensor.id, other.id]
    }),
  )
}

function endTensors({ graph, entry }: OpenedModel, end: 'input' | 'output'): GraphTensor[] {
  const subgraph = graph.subgraphs[entry.subgraph]
  const ids = (end === 'input' ? subgraph?.inputs : subgraph?.outputs) ?? []
  return ids.flatMap((id) => graph.tensors[id] ?? [])
}

function differ(float: OpenedModel, quantized: OpenedModel, why: string): ComparisonError {
  return new ComparisonError(
    'models-differ',
    `${quantized.file} was not made from ${float.file}: ${why}; give the float model it came from`,
  )
}

function count(number: number, end: string): string {
  return `${number} ${end}${number === 1 ? '' : 's'}`
}

function print(tensor: GraphTensor | undefined): string {
  const dims = tensor?.shape?.map((dim) => (dim < 0 ? '?' : dim)).join('×')
  return dims === undefined ? 'of unknown shape' : `[${dims}]`
}
