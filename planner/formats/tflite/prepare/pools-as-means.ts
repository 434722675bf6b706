import type { Finding } from '../../../../shared/findings.ts'
import { type DraftOperator, type DraftSubgraph, type DraftTensor, draftOf } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import type { Prepared } from './prepared.ts'

/** Height and width of the format's NHWC images. */
const SPATIAL_AXES = Int32Array.of(1, 2)

/**
 * AVERAGE_POOL_2D over the whole image ⇒ MEAN over height and width. The same numbers; but an integer
 * AVERAGE_POOL_2D must keep its input's scale, made for single peaks, while averages are several times
 * smaller: MEAN has a scale of its own.
 */
export function poolsAsMeans(model: TflModel): Prepared {
  const draft = draftOf(model)
  const findings = draft.subgraphs.flatMap((subgraph) =>
    subgraph.operators.filter(isGlobalPool).map((operator) => rewrite(subgraph, operator)),
  )
  return { model: findings.length === 0 ? model : finishDraft(draft), findings }
}

function isGlobalPool({ code, fields, inputs, outputs }: DraftOperator): boolean {
  const options = fields.builtinOptions
  if (code.builtinCode !== 'AVERAGE_POOL_2D' || options === null) return false
  const [input, output] = [inputs[0]?.fields, outputs[0]?.fields]
  if (input?.type !== 'FLOAT32' || options.fusedActivationFunction !== 'NONE') return false
  const [, height, width] = input.shapeSignature ?? input.shape ?? []
  const [, outHeight, outWidth] = output?.shape ?? []
  const whole = options.filterHeight === height && options.filterWidth === width
  return whole && outHeight === 1 && outWidth === 1
}

function rewrite(subgraph: DraftSubgraph, operator: DraftOperator): Finding {
  operator.code = { builtinCode: 'MEAN', customCode: null, version: 1 }
  operator.fields.builtinOptions = { type: 'ReducerOptions', keepDims: true }
  operator.inputs = [operator.inputs[0] ?? null, axesOf(subgraph)]
  const name = operator.outputs[0]?.fields.name ?? ''
  return {
    code: 'global-pool-as-mean',
    severity: 'info',
    message: `AVERAGE_POOL_2D "${name}" is written as MEAN, which computes the same with a scale of its own`,
    where: name,
  }
}

function axesOf(subgraph: DraftSubgraph): DraftTensor {
  const name = 'spatial_axes'
  const known = subgraph.tensors.find((tensor) => tensor.fields.name === name && tensor.data)
  if (known !== undefined) return known
  const tensor: DraftTensor = {
    fields: {
      name,
      type: 'INT32',
      shape: [SPATIAL_AXES.length],
      shapeSignature: null,
      buffer: 0,
      isVariable: false,
      quantization: null,
      sparsity: null,
    },
    data: new Uint8Array(SPATIAL_AXES.buffer),
  }
  subgraph.tensors.push(tensor)
  return tensor
}
