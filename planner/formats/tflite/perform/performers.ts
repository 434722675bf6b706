import { invariant } from '../../../../shared/errors.ts'
import { encode } from '../../../quantizer/parameters/encode.ts'
import type { Form } from '../../../quantizer/parameters/forms.ts'
import type { InstructionArguments, Verb } from '../../../quantizer/plan/instructions.ts'
import { realNumbers } from '../constants.ts'
import type { DraftOperator, DraftTensor } from '../draft.ts'
import { constantInForm, inForm, quantizationOf, typeName } from './tensor-forms.ts'
import type { Workshop } from './workshop.ts'

/** One function for each verb a plan may use. */
export const PERFORMERS: {
  readonly [V in Verb]: (workshop: Workshop, what: InstructionArguments[V]) => void
} = {
  'store-constant': (workshop, { tensor, form, uses, values }) => {
    const source = workshop.tensor(tensor)
    const numbers = values ?? realNumbers(workshop.draft.model, source.fields)
    invariant(numbers !== null, 'plans store only constants that hold real numbers')
    const stored = constantInForm(source, form, numbers)
    workshop.add(stored, workshop.homeOf(source))
    workshop.remember(tensor, form, stored)
    workshop.redirect(uses, stored)
  },

  'set-activation': (workshop, { tensor, form }) => {
    const made = workshop.tensor(tensor)
    made.fields = { ...made.fields, type: typeName(form), quantization: quantizationOf(form) }
    workshop.remember(tensor, form, made)
  },

  convert: (workshop, { tensor, from, to, uses }) => {
    const input = workshop.inForm(tensor, from)
    const home = workshop.homeOf(workshop.tensor(tensor))
    const output = inForm(input, to, null)
    workshop.add(output, home)
    workshop.remember(tensor, to, output)
    const readers = uses.flatMap((use) =>
      use.kind === 'input' ? workshop.operator(use.operator) : [],
    )
    workshop.insert(conversion(input, output, from, to), home, readers)
    workshop.redirect(uses, output)
  },

  'add-bias': (workshop, { operator, position, form, values }) => {
    const target = workshop.operator(operator)
    const home = workshop.homeOf(target)
    const bias = newBias(target, form, values)
    workshop.add(bias, home)
    while (target.inputs.length < position) target.inputs.push(null)
    target.inputs[position] = bias
    workshop.changed.add(target)
  },

  compute: (workshop, { operator, as }) => {
    const target = workshop.operator(operator)
    const options = target.fields.builtinOptions
    workshop.changed.add(target)
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
