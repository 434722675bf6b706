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
import type { IntegerForm } from './integer-form.ts'
import type { ModelRewriter } from './model-rewriter.ts'

const COMPUTATIONS: Record<Computation, (rewriter: ModelRewriter, operator: OperatorId) => void> = {
  integer: (rewriter, operator) => void rewriter.integer.add(operator),
  hybrid: computeHybrid,
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
    if (form.type === 'float16') {
      rewriter.halves.set(tensor, stored)
      return
    }
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
    const half = rewriter.halves.get(tensor)
    if (half === undefined) {
      const known = rewriter.conversions.get(tensor) ?? []
      rewriter.conversions.set(tensor, [...known, { to, uses }])
      return
    }
    const real = rewriter.fresh(`${rewriter.nameOf(tensor)}/real`)
    rewriter.add(undefined, 'Cast', [half], real, { to: ['int', 1] })
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
