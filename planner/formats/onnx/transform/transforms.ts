import { invariant } from '../../../../shared/errors.ts'
import type {
  Computation,
  InstructionArguments,
  OperatorId,
  Use,
  Verb,
} from '../../../graph/index.ts'
import { encode, encodeConstant } from '../../../graph/index.ts'
import { computeBlocks } from './blocks.ts'
import { codesConstant, dequantized } from './codes.ts'
import { computeHybrid } from './hybrid.ts'
import { computeHybridLstm } from './hybrid-lstm.ts'
import type { IntegerForm } from './integer-form.ts'
import type { Expandable, ModelRewriter } from './model-rewriter.ts'

const COMPUTATIONS: Record<Computation, (rewriter: ModelRewriter, operator: OperatorId) => void> = {
  integer: (rewriter, operator) => void rewriter.integer.add(operator),
  hybrid: (rewriter, operator) =>
    rewriter.at(operator).node.opType === 'LSTM'
      ? computeHybridLstm(rewriter, operator)
      : computeHybrid(rewriter, operator),
  blocks: computeBlocks,
}

/** One function for each verb a plan may use; what concerns activations is settled when all is known. */
export const TRANSFORMS: {
  readonly [V in Verb]: (rewriter: ModelRewriter, what: InstructionArguments[V]) => void
} = {
  'store-constant': (rewriter, { tensor, form, uses, values }) => {
    const name = rewriter.nameOf(tensor)
    const { constant, shape } = rewriter.view.graph.tensors[tensor] ?? {}
    const numbers = constant?.read()
    invariant(constant && shape && numbers, `constant ${name} holds real numbers`)
    if (form.type === 'float32') {
      if (values !== undefined) feedFloats(rewriter, name, shape, values, uses)
      return
    }
    const codes =
      values === undefined
        ? encodeConstant(constant, numbers, shape, form)
        : encode(values, shape, form)
    const stored = codesConstant(rewriter, name, codes, shape, form)
    rewriter.expandable.set(tensor, { codes: stored, form })
    if (form.type === 'float16' || uses.length === 0) return
    const real = rewriter.fresh(`${name}/real`)
    dequantized(rewriter, undefined, stored, form as IntegerForm, real)
    for (const use of uses) {
      invariant(use.kind === 'input', 'constants at outputs stay as they are')
      rewriter.feed(use.operator, use.position, real)
      rewriter.stored.set(real, { codes: stored, form: form as IntegerForm })
    }
  },

  'set-activation': (rewriter, { tensor, form }) => void rewriter.made.set(tensor, form),

  convert: (rewriter, { tensor, to, uses }) => {
    const stored = rewriter.expandable.get(tensor)
    if (stored === undefined) {
      const known = rewriter.conversions.get(tensor) ?? []
      rewriter.conversions.set(tensor, [...known, { to, uses }])
      return
    }
    const real = rewriter.realNameOf(tensor)
    expand(rewriter, stored, real)
    for (const use of uses) {
      if (use.kind === 'input') rewriter.feed(use.operator, use.position, real)
    }
  },

  'add-bias': (rewriter, { operator, position, form, values }) => {
    const near = `${rewriter.at(operator).node.output[0]}/bias`
    const shape = [values.length]
    if (form.type === 'float32') {
      feedFloats(rewriter, near, shape, values, [{ kind: 'input', operator, position }])
      return
    }
    const stored = codesConstant(
      rewriter,
      near,
      encode(values, shape, form),
      shape,
      form as IntegerForm,
    )
    const real = rewriter.fresh(`${near}/real`)
    dequantized(rewriter, undefined, stored, form as IntegerForm, real)
    rewriter.feed(operator, position, real)
  },

  compute: (rewriter, { operator, as }) => {
    COMPUTATIONS[as](rewriter, operator)
  },
}

/**
 * A stored constant as float32 again, by operators that ONNX Runtime computes when it loads the model. It leaves
 * DequantizeLinear in place, for integer kernels to take in, and computes it at every run where none does.
 */
function expand(rewriter: ModelRewriter, { codes, form }: Expandable, real: string): void {
  const toFloat = { to: ['int', 1] } as const
  if (!('parameters' in form)) {
    rewriter.add(undefined, 'Cast', [codes], real, toFloat)
    return
  }
  const { scales, axis } = form.parameters
  const rank = rewriter.editor.constant(codes)?.dims.length ?? 0
  const along = Array.from({ length: rank }, (_, at) => (at === axis ? scales.length : 1))
  const scale = rewriter.editor.addConstant(
    `${codes}/scale`,
    'float32',
    axis === null ? [] : along,
    Float32Array.from(scales),
  )
  const steps = rewriter.fresh(`${codes}/steps`)
  rewriter.add(undefined, 'Cast', [codes], steps, toFloat)
  rewriter.add(undefined, 'Mul', [steps, scale], real)
}

/** Other numbers in the place of a constant, as floats. */
function feedFloats(
  rewriter: ModelRewriter,
  near: string,
  shape: readonly number[],
  values: Float32Array,
  uses: readonly Use[],
): void {
  const floats = rewriter.editor.addConstant(near, 'float32', shape, Float32Array.from(values))
  for (const use of uses) {
    invariant(use.kind === 'input', 'constants at outputs stay as they are')
    rewriter.feed(use.operator, use.position, floats)
  }
}
