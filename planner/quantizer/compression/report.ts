import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { Finding } from '../../../shared/findings.ts'
import { formatBytes, formatPercent } from '../../../shared/units.ts'
import type {
  GraphTensor,
  Instruction,
  Plan,
  QuantizableModel,
  TensorId,
} from '../../graph/index.ts'
import { codesOf, encode, FLOAT32, type Form, type WeightBits } from '../../graph/index.ts'
import { weightParameters } from '../parameters/weight.ts'
import type { Compressed, CompressedWeight } from './compress.ts'

const deflated = promisify(deflate)

/** What pruning and clustering gave, counted in the file that was written. */
export interface CompressionReport {
  /** What was asked for. */
  readonly prune: number | null
  readonly cluster: number | null
  /** Share of zeros among the weights of all layers, spared ones included. */
  readonly sparsity: number
  /** Of the written file, by zlib at level 9: what a compressed download takes. */
  readonly deflatedBytes: number
  /** The same for the same scheme without pruning and clustering. */
  readonly deflatedBytesWithout: number
  readonly layers: readonly CompressedLayer[]
}

export interface CompressedLayer {
  readonly layer: string
  readonly operator: string
  readonly elements: number
  /** Why it was left as it is; null where it was compressed. */
  readonly spared: string | null
  /** Share of zeros, and number of different codes (or floats), as stored. */
  readonly zeros: number
  readonly distinct: number
}

/** @param plan what made `bytes` of `model`, whose weights are compressed already */
export async function reportCompression(
  model: QuantizableModel,
  plan: Plan,
  bytes: Uint8Array,
  compressed: Compressed,
  weightBits: WeightBits,
): Promise<CompressionReport> {
  const without = model.perform(undone(model, plan, compressed, weightBits))
  const layers = compressed.layers.map((weight) => layerOf(model, plan, weight))
  const elements = layers.reduce((sum, layer) => sum + layer.elements, 0)
  const zeros = layers.reduce((sum, layer) => sum + layer.zeros * layer.elements, 0)
  return {
    prune: compressed.asked.prune ?? null,
    cluster: compressed.asked.cluster ?? null,
    sparsity: elements === 0 ? 0 : zeros / elements,
    deflatedBytes: (await deflated(bytes, { level: 9 })).length,
    deflatedBytesWithout: (await deflated(without, { level: 9 })).length,
    layers,
  }
}

/** What a user should not expect of it. */
export function compressionFindings(report: CompressionReport): Finding[] {
  const touched = report.layers.filter(({ spared }) => spared === null)
  if (touched.length === 0) {
    return [
      {
        code: 'nothing-compressed',
        severity: 'warning',
        message: `no layer was pruned or clustered: ${whyNone(report)}`,
      },
    ]
  }
  const { cluster: asked } = report
  const exceeded = asked === null ? [] : touched.filter(({ distinct }) => distinct > asked)
  return [
    {
      code: 'compression-gains-no-speed',
      severity: 'info',
      message: `${touched.length} of ${report.layers.length} layers compressed, ${formatPercent(report.sparsity)} of all weights are zero: a deflated download shrinks from ${formatBytes(report.deflatedBytesWithout)} to ${formatBytes(report.deflatedBytes)}; the file on the device and its speed stay as they are, because runtimes store and multiply zeros like any number. Measure the accuracy: nothing was retrained`,
    },
    ...exceeded.map(
      ({ layer, distinct }): Finding => ({
        code: 'clusters-exceeded',
        severity: 'warning',
        message: `"${layer}" is stored with ${distinct} different values, not ${asked}: its scales were not the ones clustered for`,
        where: layer,
      }),
    ),
  ]
}

function whyNone({ layers }: CompressionReport): string {
  const reasons = [...new Set(layers.map(({ spared }) => spared))]
  return layers.length === 0
    ? 'the model has no float weights'
    : `every one was spared (${reasons.join('; ')})`
}

type Store = Extract<Instruction, { verb: 'store-constant' }>

function storesOf(plan: Plan, tensor: TensorId): Store[] {
  return plan.instructions.flatMap((instruction) =>
    instruction.verb === 'store-constant' && instruction.tensor === tensor ? [instruction] : [],
  )
}

function tensorOf(
  { graph }: QuantizableModel,
  { operator, position }: CompressedWeight,
): GraphTensor | undefined {
  return graph.tensors[graph.operators[operator]?.inputs[position]?.tensor ?? -1]
}

/** The plan with the numbers from before, and the scales that they take. */
function undone(
  model: QuantizableModel,
  plan: Plan,
  { layers }: Compressed,
  weightBits: WeightBits,
): Plan {
  const before = new Map<TensorId, Float32Array>()
  for (const weight of layers) {
    const tensor = tensorOf(model, weight)
    if (tensor !== undefined && weight.spared === null) before.set(tensor.id, weight.values)
  }
  const planned = plan.instructions.map((instruction): Instruction => {
    const values = instruction.verb === 'store-constant' && before.get(instruction.tensor)
    if (!values) return instruction
    const shape = model.graph.tensors[instruction.tensor]?.shape ?? []
    return { ...instruction, values, form: rescaled(instruction.form, values, shape, weightBits) }
  })
  const leftFloat = [...before].filter(([tensor]) => storesOf(plan, tensor).length === 0)
  const restored = leftFloat.map(
    ([tensor, values]): Instruction => ({
      verb: 'store-constant',
      tensor,
      form: FLOAT32,
      uses: usesOfTensor(model, tensor),
      values,
    }),
  )
  // First, for what computes in blocks reads its floats when its turn comes.
  return { ...plan, instructions: [...restored, ...planned] }
}

function usesOfTensor({ graph }: QuantizableModel, tensor: TensorId): Store['uses'] {
  return graph.operators.flatMap((operator) =>
    operator.inputs.flatMap((input, position) =>
      input.tensor === tensor ? [{ kind: 'input', operator: operator.id, position } as const] : [],
    ),
  )
}

function rescaled(
  form: Form,
  values: Float32Array,
  shape: readonly number[],
  weightBits: WeightBits,
): Form {
  if (form.type !== 'int8' && form.type !== 'int4') return form
  const bits = form.type === 'int4' ? 4 : weightBits
  return { ...form, parameters: weightParameters(values, shape, form.parameters.axis, bits) }
}

function layerOf(model: QuantizableModel, plan: Plan, weight: CompressedWeight): CompressedLayer {
  const tensor = tensorOf(model, weight)
  const operator = model.graph.operators[weight.operator]
  const [store] = tensor === undefined ? [] : storesOf(plan, tensor.id)
  const values = store?.values ?? tensor?.constant?.read() ?? new Float32Array(0)
  const { zeros, distinct } = countStored(values, tensor?.shape ?? [], store?.form ?? FLOAT32)
  return {
    layer: operator?.name ?? '',
    operator: operator?.nativeKind ?? '',
    elements: values.length,
    spared: weight.spared,
    zeros,
    distinct,
  }
}

function countStored(values: Float32Array, shape: readonly number[], form: Form) {
  const numbers: ArrayLike<number> =
    'parameters' in form
      ? codesOf(values, shape, form)
      : form.type === 'float16'
        ? new Uint16Array(encode(values, shape, form).buffer)
        : values
  const found = new Set<number>()
  let zeros = 0
  for (let i = 0; i < numbers.length; i += 1) {
    const number = numbers[i] as number
    found.add(number)
    if (number === 0) zeros += 1
  }
  return { zeros: values.length === 0 ? 0 : zeros / values.length, distinct: found.size }
}
