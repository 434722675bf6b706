import { invariant } from '../../../../shared/errors.ts'
import { encodeConstant } from '../../../quantizer/parameters/constants.ts'
import { encode } from '../../../quantizer/parameters/encode.ts'
import type {
  Computation,
  InstructionArguments,
  Verb,
} from '../../../quantizer/plan/instructions.ts'
import type { OperatorId, Use } from '../../graph.ts'
import { computeBlocks } from './blocks.ts'
import { codesConstant, dequantized, type IntegerForm } from './codes.ts'
import { computeHybrid } from './hybrid.ts'
import type { Workshop } from './workshop.ts'

const COMPUTATIONS: Record<Computation, (workshop: Workshop, operator: OperatorId) => void> = {
  integer: (workshop, operator) => void workshop.integer.add(operator),
  hybrid: computeHybrid,
  blocks: computeBlocks,
}

/** One function for each verb a plan may use; what concerns activations is settled when all is known. */
export const PERFORMERS: {
  readonly [V in Verb]: (workshop: Workshop, what: InstructionArguments[V]) => void
} = {
  'store-constant': (workshop, { tensor, form, uses, values }) => {
    const name = workshop.nameOf(tensor)
    const { constant, shape } = workshop.view.graph.tensors[tensor] ?? {}
    const numbers = constant?.read()
    invariant(constant && shape && numbers, `constant ${name} holds real numbers`)
    if (form.type === 'float32') {
      if (values !== undefined) feedFloats(workshop, name, shape, values, uses)
      return
    }
    const codes =
      values === undefined
        ? encodeConstant(constant, numbers, shape, form)
        : encode(values, shape, form)
    const stored = codesConstant(workshop, name, codes, shape, form)
    if (form.type === 'float16') {
      workshop.halves.set(tensor, stored)
      return
    }
    const real = workshop.fresh(`${name}/real`)
    dequantized(workshop, undefined, stored, form as IntegerForm, real)
    for (const use of uses) {
      invariant(use.kind === 'input', 'constants at outputs stay as they are')
      workshop.feed(use.operator, use.position, real)
      workshop.stored.set(real, { codes: stored, form: form as IntegerForm })
    }
  },

  'set-activation': (workshop, { tensor, form }) => void workshop.made.set(tensor, form),

  convert: (workshop, { tensor, to, uses }) => {
    const half = workshop.halves.get(tensor)
    if (half === undefined) {
      const known = workshop.conversions.get(tensor) ?? []
      workshop.conversions.set(tensor, [...known, { to, uses }])
      return
    }
    const real = workshop.fresh(`${workshop.nameOf(tensor)}/real`)
    workshop.add(undefined, 'Cast', [half], real, { to: ['int', 1] })
    for (const use of uses) {
      if (use.kind === 'input') workshop.feed(use.operator, use.position, real)
    }
  },

  'add-bias': (workshop, { operator, position, form, values }) => {
    const near = `${workshop.at(operator).node.output[0]}/bias`
    const shape = [values.length]
    if (form.type === 'float32') {
      feedFloats(workshop, near, shape, values, [{ kind: 'input', operator, position }])
      return
    }
    const stored = codesConstant(
      workshop,
      near,
      encode(values, shape, form),
      shape,
      form as IntegerForm,
    )
    const real = workshop.fresh(`${near}/real`)
    dequantized(workshop, undefined, stored, form as IntegerForm, real)
    workshop.feed(operator, position, real)
  },

  compute: (workshop, { operator, as }) => {
    COMPUTATIONS[as](workshop, operator)
  },
}

/** Other numbers in the place of a constant, as floats. */
function feedFloats(
  workshop: Workshop,
  near: string,
  shape: readonly number[],
  values: Float32Array,
  uses: readonly Use[],
): void {
  const floats = workshop.editor.addConstant(near, 'float32', shape, Float32Array.from(values))
  for (const use of uses) {
    invariant(use.kind === 'input', 'constants at outputs stay as they are')
    workshop.feed(use.operator, use.position, floats)
  }
}
