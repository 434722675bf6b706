import { invariant } from '../../../../shared/errors.ts'
import type { OperatorId } from '../../../graph/index.ts'
import { dataOf, dimsOf } from '../tensor-data.ts'
import { importContrib } from './contrib.ts'
import type { ModelRewriter } from './model-rewriter.ts'

/** Inputs that the kernel takes as LSTM does: bias, lengths, both states, peepholes. */
const AS_THEY_ARE = [3, 4, 5, 6, 7] as const

/** com.microsoft DynamicQuantizeLSTM: codes of both weights with input channels first, scales for each gate and direction. */
export function computeHybridLstm(rewriter: ModelRewriter, operator: OperatorId): void {
  const { editor } = rewriter
  const { node } = rewriter.at(operator)
  const [data = '', weight = '', recurrence = ''] = node.input
  const [w, r] = [weight, recurrence].map((name) => gatesOf(rewriter, name))
  invariant(w && r, 'a hybrid LSTM reads stored weights')
  const rest = AS_THEY_ARE.map((at) => node.input[at] ?? '')
  const inputs = [data, w.codes, r.codes, ...rest, w.scales, w.zeros, r.scales, r.zeros]
  const kernel = editor.newNode(
    'DynamicQuantizeLSTM',
    inputs,
    node.output,
    {},
    importContrib(rewriter),
  )
  kernel.attribute = node.attribute.filter(({ name }) => name !== 'layout')
  editor.replace(node, kernel)
}

/** [directions, gates, inputs] → [directions, inputs, gates]. */
function gatesOf(rewriter: ModelRewriter, name: string) {
  const { editor } = rewriter
  const stored = rewriter.stored.get(name)
  const constant = stored && editor.constant(stored.codes)
  invariant(stored && constant, 'codes are constants')
  const [directions = 1, gates = 1, inputs = 1] = dimsOf(constant)
  const source = dataOf(constant) as Int8Array
  const turned = new Int8Array(source.length)
  source.forEach((code, i) => {
    const [direction, gate, input] = [
      Math.floor(i / (gates * inputs)),
      Math.floor(i / inputs) % gates,
      i % inputs,
    ]
    turned[(direction * inputs + input) * gates + gate] = code
  })
  const { scales } = stored.form.parameters
  const shape = [directions, gates]
  const each = Float32Array.from(
    { length: directions * gates },
    (_, i) => scales[scales.length === 1 ? 0 : i % gates] as number,
  )
  return {
    codes: editor.addConstant(
      `${stored.codes}/turned`,
      'int8',
      [directions, inputs, gates],
      turned,
    ),
    scales: editor.addConstant(`${stored.codes}/scales`, 'float32', shape, each),
    zeros: editor.addConstant(`${stored.codes}/zeros`, 'int8', shape, new Int8Array(each.length)),
  }
}
