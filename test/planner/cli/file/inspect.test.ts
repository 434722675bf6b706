import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import { writeTflite } from '../../../../planner/formats/tflite/index.ts'
import { loadRuntime } from '../../../../shared/runtime/index.ts'
import { buildModel } from '../../quantizer/model-builder.ts'
import { fitment } from '../run-fitment.ts'

/** RELU, then a custom operator. */
function withCustom(customCode: string): Uint8Array {
  const model = buildModel({
    inputs: { x: [1, 4] },
    operators: [
      { code: 'RELU', inputs: ['x'], outputs: { h: [1, 4] } },
      { code: 'CUSTOM', inputs: ['h'], outputs: { y: [1, 4] } },
    ],
    outputs: ['y'],
  })
  const operatorCodes = model.operatorCodes.map((code) =>
    code.builtinCode === 'CUSTOM' ? { ...code, customCode } : code,
  )
  return writeTflite({ ...model, operatorCodes })
}

interface Inspected {
  readonly operators: readonly {
    operator: string
    integerKernel: boolean
    obstacle: string | null
  }[]
  readonly classes: { can: string[]; cannot: { class: string; why: string }[] }
}

async function inspected(path: string): Promise<Inspected> {
  const { code, out, err } = await fitment('inspect', path, '--json')
  t.equal(code, 0, err)
  return JSON.parse(out) as Inspected
}

t.test('a model of builtin operators runs on every class', async (t) => {
  const { operators, classes } = await inspected(demoFile('motor-faults', 'model.tflite'))
  t.ok(operators.every(({ integerKernel, obstacle }) => integerKernel && obstacle === null))
  t.same(classes.cannot, [])
  t.ok(classes.can.includes('generic-armv7'))
})

t.test('what of a model each accelerator leaves to the CPU', async (t) => {
  const path = demoFile('motor-faults', 'model.tflite')
  const { code, out } = await fitment('inspect', path, '--json')
  t.equal(code, 0)
  const { accelerators } = JSON.parse(out) as {
    readonly accelerators: readonly { readonly target: string }[]
  }
  const of = (name: string) => accelerators.find(({ target }) => target === name)
  t.match(of('ethos-u65-256'), {
    takes: { scheme: 'static-w8a8-io8', compiler: 'vela' },
    operators: { total: 15, accelerator: 15, left: {} },
  })
  t.match(of('teflon'), {
    takes: { scheme: 'static-w8a8-iou8', compiler: null },
    operators: { total: 15, accelerator: 12, left: { SOFTMAX: 1, MEAN: 1, MUL: 1 } },
  })
  t.match(of('qnn-htp'), { takes: { scheme: null }, operators: null })
  const people = (await fitment('inspect', path)).out
  t.match(people, /ethos-u65-256 +static-w8a8-io8, then vela +15 of 15 +nothing by kind/)
  t.match(people, /teflon +static-w8a8-iou8 +12 of 15 +/)
})

t.test(
  'operators of TensorFlow and custom ones keep a model from every class, and from the runtime',
  async (t) => {
    for (const [customCode, words] of [
      ['FlexErf', /"FlexErf" is an operator of TensorFlow \(Select\)/],
      ['Mine', /"Mine" is a custom operator/],
      [
        'ethos-u',
        /"ethos-u" says that the model is compiled for Ethos-U: .* with that delegate only/,
      ],
    ] as const) {
      const path = join(t.testdir(), 'custom.tflite')
      const bytes = withCustom(customCode)
      writeFileSync(path, bytes)
      const { operators, classes } = await inspected(path)
      t.match(operators.find(({ operator }) => operator.startsWith(customCode))?.obstacle, words)
      t.same(classes.can, [])
      t.match(classes.cannot[0]?.why, words)
      t.match((await fitment('inspect', path)).out, /no device class can run it: /)
      // LiteRT.js itself would run it and give out whatever lies in memory.
      const litert = await loadRuntime('litert')
      await t.rejects(litert.load(bytes), { code: 'not-loadable', message: words })
    }
  },
)
