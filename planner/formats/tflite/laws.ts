import type { TflModel, TflOperator, TflSubgraph, TflTensor, TflUnion } from './model.ts'
import { bytesOfElements, type TensorTypeName } from './tensor-types.ts'

/** A place in the model tree and what is wrong there. */
export interface Breach {
  where: string
  problem: string
}

/** What holds in every usable model beyond the grammar of the file. */
export interface Law {
  code: string
  /** `error`: the model cannot be used; `warning`: runtimes live with it. */
  severity: 'warning' | 'error'
  breaches(model: TflModel): Iterable<Breach>
}

const SCHEMA_VERSION = 3
/** Tensors without constant data name the first buffer, whatever it holds. */
export const NO_BUFFER = 0
const NO_BREACHES: readonly Breach[] = []

/** Errors are what LiteRT 2.3 refuses to load (tried), and indices that lead nowhere. */
export const LAWS: readonly Law[] = [
  {
    code: 'schema-version',
    severity: 'error',
    *breaches({ version }) {
      if (version === SCHEMA_VERSION) return
      yield { where: 'version', problem: `is ${version}; runtimes load version ${SCHEMA_VERSION}` }
    },
  },
  {
    code: 'no-subgraph',
    severity: 'error',
    *breaches({ subgraphs }) {
      if (subgraphs.length === 0) yield { where: 'subgraphs', problem: 'is empty: no graph to run' }
    },
  },
  {
    code: 'operator-code',
    severity: 'error',
    breaches: (model) =>
      ofOperators(model, ({ opcodeIndex }, where) =>
        outOfRange([opcodeIndex], model.operatorCodes.length, `${where}.opcodeIndex`),
      ),
  },
  {
    code: 'custom-code',
    severity: 'error',
    *breaches({ operatorCodes }) {
      for (const [index, { builtinCode, customCode }] of operatorCodes.entries()) {
        if (builtinCode !== 'CUSTOM' || customCode !== null) continue
        yield { where: `operatorCodes[${index}]`, problem: 'is CUSTOM but names no custom code' }
      }
    },
  },
  {
    code: 'tensor-index',
    severity: 'error',
    *breaches(model) {
      yield* ofSubgraphs(model, ({ tensors, inputs, outputs }, where) => [
        ...outOfRange(inputs, tensors.length, `${where}.inputs`),
        ...outOfRange(outputs, tensors.length, `${where}.outputs`),
      ])
      // An operator may leave out inputs and intermediates (-1).
      yield* ofOperators(model, (operator, where, { tensors }) => [
        ...outOfRange(operator.inputs, tensors.length, `${where}.inputs`, -1),
        ...outOfRange(operator.outputs, tensors.length, `${where}.outputs`),
        ...outOfRange(operator.intermediates ?? [], tensors.length, `${where}.intermediates`, -1),
      ])
    },
  },
  {
    code: 'buffer-index',
    severity: 'error',
    *breaches(model) {
      const count = model.buffers.length
      yield* ofTensors(model, ({ buffer }, where) => outOfRange([buffer], count, `${where}.buffer`))
      for (const [index, { buffer }] of model.metadata.entries()) {
        yield* outOfRange([buffer], count, `metadata[${index}].buffer`)
      }
      yield* outOfRange(model.metadataBuffer ?? [], count, 'metadataBuffer')
    },
  },
  {
    code: 'subgraph-index',
    severity: 'error',
    breaches: (model) =>
      ofOperators(model, (operator, where) => [
        ...subgraphReferences(operator.builtinOptions, `${where}.builtinOptions`, model),
        ...subgraphReferences(operator.builtinOptions2, `${where}.builtinOptions2`, model),
      ]),
  },
  {
    code: 'signature',
    severity: 'error',
    *breaches({ signatureDefs, subgraphs }) {
      for (const [index, { subgraphIndex, inputs, outputs }] of signatureDefs.entries()) {
        const where = `signatureDefs[${index}]`
        yield* outOfRange([subgraphIndex], subgraphs.length, `${where}.subgraphIndex`)
        const count = subgraphs[subgraphIndex]?.tensors.length
        if (count === undefined) continue
        const indices = [...inputs, ...outputs].map(({ tensorIndex }) => tensorIndex)
        yield* outOfRange(indices, count, `${where} tensorIndex`)
      }
    },
  },
  {
    code: 'shape',
    severity: 'error',
    breaches: (model) =>
      ofTensors(model, ({ shape, shapeSignature }, where) => [
        ...badDims(shape ?? [], `${where}.shape`, 0),
        ...badDims(shapeSignature ?? [], `${where}.shapeSignature`, -1),
      ]),
  },
  {
    code: 'constant-truncated',
    severity: 'error',
    breaches: (model) =>
      ofTensors(model, (tensor, where) => constantSize(model, tensor, where, (a, b) => a < b)),
  },
  {
    code: 'constant-too-long',
    severity: 'warning',
    breaches: (model) =>
      ofTensors(model, (tensor, where) => constantSize(model, tensor, where, (a, b) => a > b)),
  },
  {
    code: 'quantization',
    severity: 'error',
    breaches: (model) => ofTensors(model, quantization),
  },
  {
    code: 'first-buffer',
    severity: 'warning',
    *breaches({ buffers }) {
      if (!buffers[0]?.data?.length) return
      yield { where: 'buffers[0]', problem: 'has data, though 0 stands for "no constant data"' }
    },
  },
  {
    code: 'external-weights',
    severity: 'warning',
    breaches: (model) =>
      ofTensors(model, ({ externalBuffer }, where) => {
        if (!externalBuffer) return NO_BREACHES
        const files = (model.externalBufferGroups ?? []).map(({ name }) => name).join(', ')
        return [{ where, problem: `has its constant in another file (${files})` }]
      }),
  },
]

function* ofSubgraphs(
  model: TflModel,
  breaches: (subgraph: TflSubgraph, where: string) => Iterable<Breach>,
): Iterable<Breach> {
  for (const [index, subgraph] of model.subgraphs.entries()) {
    yield* breaches(subgraph, `subgraphs[${index}]`)
  }
}

function ofOperators(
  model: TflModel,
  breaches: (operator: TflOperator, where: string, subgraph: TflSubgraph) => Iterable<Breach>,
): Iterable<Breach> {
  return ofSubgraphs(model, function* (subgraph, where) {
    for (const [index, operator] of subgraph.operators.entries()) {
      yield* breaches(operator, `${where}.operators[${index}]`, subgraph)
    }
  })
}

function ofTensors(
  model: TflModel,
  breaches: (tensor: TflTensor, where: string, subgraph: TflSubgraph) => Iterable<Breach>,
): Iterable<Breach> {
  return ofSubgraphs(model, function* (subgraph, where) {
    for (const [index, tensor] of subgraph.tensors.entries()) {
      yield* breaches(tensor, `${where}.tensors[${index}]`, subgraph)
    }
  })
}

function* outOfRange(
  indices: readonly number[],
  count: number,
  where: string,
  lowest = 0,
): Iterable<Breach> {
  for (const index of indices) {
    if (index >= lowest && index < count) continue
    yield { where, problem: `${index} leads nowhere (there are ${count})` }
  }
}

/** Options that call subgraphs name them `…SubgraphIndex`, `…Indices` or `subgraph`; -1 is none. */
function* subgraphReferences(
  options: TflUnion | null,
  where: string,
  { subgraphs }: TflModel,
): Iterable<Breach> {
  for (const [field, value] of Object.entries(options ?? {})) {
    if (!/subgraph(Index)?$|SubgraphIndices$|^calledComputations$/i.test(field)) continue
    const indices = (Array.isArray(value) ? value : [value]) as number[]
    yield* outOfRange(indices, subgraphs.length, `${where}.${field}`, -1)
  }
}

function* badDims(dims: readonly number[], where: string, lowest: number): Iterable<Breach> {
  const bad = dims.find((dim) => dim < lowest)
  if (bad !== undefined) yield { where, problem: `has a dimension of ${bad}` }
  else if (!Number.isSafeInteger(elementsOf(dims))) {
    yield { where, problem: 'has more elements than any memory holds' }
  }
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

function* constantSize(
  model: TflModel,
  { type, shape, buffer, sparsity }: TflTensor,
  where: string,
  breaks: (bytes: number, needed: number) => boolean,
): Iterable<Breach> {
  const bytes = buffer === NO_BUFFER ? 0 : (model.buffers[buffer]?.data?.length ?? 0)
  const needed = bytesOfElements(type as TensorTypeName, elementsOf(shape ?? []))
  if (bytes === 0 || needed === null || sparsity !== null) return
  if (!breaks(bytes, needed)) return
  yield {
    where,
    problem: `${type}[${shape ?? []}] needs ${needed} bytes, buffers[${buffer}] has ${bytes}`,
  }
}

function* quantization(
  { quantization, shape }: TflTensor,
  tensor: string,
  { tensors }: TflSubgraph,
): Iterable<Breach> {
  if (quantization === null) return
  const where = `${tensor}.quantization`
  const { details, quantizedDimension: axis } = quantization
  const scales = quantization.scale?.length ?? 0
  const zeroPoints = quantization.zeroPoint?.length ?? 0
  const dims = shape ?? []
  if (details !== null) {
    const references = [details.scales, details.zeroPoints].filter((at) => typeof at === 'number')
    yield* outOfRange(references, tensors.length, `${where}.details`, -1)
  }
  if (scales === 0) return
  if (zeroPoints !== scales) {
    yield { where, problem: `has ${scales} scales but ${zeroPoints} zero points` }
  }
  if (dims.length > 0 && (axis < 0 || axis >= dims.length)) {
    yield { where, problem: `dimension ${axis} is none of a tensor of ${dims.length}` }
  } else if (dims.length > 0 && scales !== 1 && scales !== dims[axis]) {
    yield { where, problem: `has ${scales} scales for ${dims[axis]} channels` }
  }
}
