import { invariant } from '../../../../shared/errors.ts'
import type { Form, InstructionArguments, Verb } from '../../../graph/index.ts'
import { encode } from '../../../graph/index.ts'
import { realNumbers } from '../constants.ts'
import type { DraftOperator, DraftTensor } from '../draft.ts'
import type { ModelRewriter } from './model-rewriter.ts'
import { constantInForm, inForm, quantizationOf, typeName } from './tensor-forms.ts'

/** One function for each verb a plan may use. */
export const TRANSFORMS: {
  readonly [V in Verb]: (rewriter: ModelRewriter, what: InstructionArguments[V]) => void
} = {
  'store-constant': (rewriter, { tensor, form, uses, values }) => {
    const source = rewriter.tensor(tensor)
    const numbers = values ?? realNumbers(rewriter.draft.model, source.fields)
    invariant(numbers !== null, 'plans store only constants that hold real numbers')
    const stored = constantInForm(source, form, numbers)
    rewriter.add(stored, rewriter.homeOf(source))
    rewriter.remember(tensor, form, stored)
    rewriter.redirect(uses, stored)
  },

  'set-activation': (rewriter, { tensor, form }) => {
    const made = rewriter.tensor(tensor)
    made.fields = { ...made.fields, type: typeName(form), quantization: quantizationOf(form) }
    rewriter.remember(tensor, form, made)
  },

  convert: (rewriter, { tensor, from, to, uses }) => {
    const input = rewriter.inForm(tensor, from)
    const home = rewriter.homeOf(rewriter.tensor(tensor))
    const output = inForm(input, to, null)
    rewriter.add(output, home)
    rewriter.remember(tensor, to, output)
    const readers = uses.flatMap((use) =>
      use.kind === 'input' ? rewriter.operator(use.operator) : [],
    )
    rewriter.insert(conversion(input, output, from, to), home, readers)
    rewriter.redirect(uses, output)
  },

  'add-bias': (rewriter, { operator, position, form, values }) => {
    const target = rewriter.operator(operator)
    const home = rewriter.homeOf(target)
    const bias = newBias(target, form, values)
    rewriter.add(bias, home)
    while (target.inputs.length < position) target.inputs.push(null)
    target.inputs[position] = bias
    rewriter.changed.add(target)
  },

  compute: (rewriter, { operator, as }) => {
    const target = rewriter.operator(operator)
    const options = target.fields.builtinOptions
    rewriter.changed.add(target)
    // Asymmetric codes for the activations that a hybrid kernel quantizes: half the error after a ReLU.
    if (as === 'hybrid' && options !== null && 'asymmetricQuantizeInputs' in options) {
      target.fields.builtinOptions = { ...options, asymmetricQuantizeInputs: true }
    }
    // 16-bit sums with free scales; the default would ask for powers of two.
    const sixteenBit = target.inputs[0]?.fields.type === 'INT16'
    if (as === 'integer' && sixteenBit && options !== null && 'potScaleInt16' in options) {
      target.fields.builtinOptions = { ...options, potScaleInt16: false }
    }
  },
}

function conversion(input: DraftTensor, output: DraftTensor, from: Form, to: Form): DraftOperator {
  const dequantize = to.type === 'float32'
  invariant(dequantize || from.type !== 'float16', 'half floats are only expanded')
  return {
    code: {
      builtinCode: dequantize ? 'DEQUANTIZE' : 'QUANTIZE',
      customCode: null,
      version: 1,
    },
    fields: {
      opcodeIndex: 0,
      inputs: [],
      outputs: [],
      builtinOptions: { type: dequantize ? 'DequantizeOptions' : 'QuantizeOptions' },
      builtinOptions2: null,
      customOptions: null,
      intermediates: null,
    },
    inputs: [input],
    outputs: [output],
    intermediates: null,
  }
}

function newBias(operator: DraftOperator, form: Form, values: Float32Array): DraftTensor {
  const output = operator.outputs[0]
  const shape = [values.length]
  return {
    fields: {
      name: `${output?.fields.name ?? ''}/bias`,
      type: typeName(form),
      shape,
      shapeSignature: null,
      buffer: 0,
      isVariable: false,
      quantization: quantizationOf(form),
      sparsity: null,
    },
    data: encode(values, shape, form),
  }
}
