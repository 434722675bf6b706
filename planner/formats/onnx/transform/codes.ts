import { invariant } from '../../../../shared/errors.ts'
import { ARRAY_OF, type ElementType, type TensorData } from '../../../../shared/tensors.ts'
import type { Form } from '../../../graph/index.ts'
import type { OnnxNode } from '../model.ts'
import type { Attributes } from '../prepare/graph-editor.ts'
import type { IntegerForm } from './integer-form.ts'
import type { ModelRewriter } from './model-rewriter.ts'

/** Scale and zero point of a form as constants; the zero point's type says what the codes are. */
export function parameterInputs(
  rewriter: ModelRewriter,
  near: string,
  form: IntegerForm,
): string[] {
  const { scales, zeroPoints, axis } = form.parameters
  const shape = axis === null ? [] : [scales.length]
  const type = elementTypeOf(form)
  const scale = rewriter.editor.addConstant(
    `${near}/scale`,
    'float32',
    shape,
    Float32Array.from(scales),
  )
  // Biases have none: 0 is meant where it is absent.
  if (type === 'int32') return [scale]
  const array = ARRAY_OF[type] as unknown as { from(values: readonly number[]): TensorData }
  return [scale, rewriter.editor.addConstant(`${near}/zero`, type, shape, array.from(zeroPoints))]
}

export function axisAttribute(form: IntegerForm): Attributes {
  const { axis } = form.parameters
  return axis === null ? {} : { axis: ['int', axis] }
}

/** What `encode` made of numbers, as a constant. */
export function codesConstant(
  rewriter: ModelRewriter,
  near: string,
  { buffer }: Uint8Array,
  shape: readonly number[],
  form: IntegerForm | Extract<Form, { type: 'float16' }>,
): string {
  const type = form.type === 'float16' ? 'float16' : elementTypeOf(form)
  const array = new ARRAY_OF[type](buffer as ArrayBuffer)
  return rewriter.editor.addConstant(`${near}/${form.type}`, type, shape, array)
}

/** The codes of `value` as real numbers again, behind `maker`. */
export function dequantized(
  rewriter: ModelRewriter,
  maker: OnnxNode | undefined,
  value: string,
  form: IntegerForm,
  output: string,
): OnnxNode {
  const inputs = [value, ...parameterInputs(rewriter, value, form)]
  return rewriter.add(maker, 'DequantizeLinear', inputs, output, axisAttribute(form))
}

function elementTypeOf(form: IntegerForm): ElementType {
  invariant(form.type in ARRAY_OF, `ONNX constants of ${form.type} need another schema`)
  return form.type as ElementType
}
