import t from 'tap'
import { LitertEngine } from '../../../../shared/runtime/litert/engine.ts'
import { withCopiedOutputs } from '../../../../shared/runtime/tflite-file/copied-outputs.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import {
  buildTflite,
  constant,
  type ModelSpec,
  type OperatorSpec,
} from '../../../planner/quantizer/model-builder.ts'

const SCALAR = { type: 'INT32', shape: [] } as const
const int = (value: number) => ({ shape: [], data: Int32Array.of(value) })
const half = { shape: [1], data: Float32Array.of(0.5) }
const add = (a: string, b: string, output: string, shape: OperatorSpec['outputs'][string]) => ({
  code: 'ADD',
  inputs: [a, b],
  outputs: { [output]: shape },
  options: { type: 'AddOptions', fusedActivationFunction: 'NONE' },
})

/** Adds a half to its input three times, and gives out how often, and the sum. */
function looping(signature?: string): Uint8Array {
  const main: ModelSpec = {
    inputs: { x: [1, 4] },
    constants: { none: int(0), half },
    operators: [
      {
        code: 'WHILE',
        inputs: ['none', 'x'],
        outputs: { times: SCALAR, sum: [1, 4] },
        options: { type: 'WhileOptions', condSubgraphIndex: 1, bodySubgraphIndex: 2 },
      },
      add('sum', 'half', 'more', [1, 4]),
    ],
    outputs: ['sum', 'more', 'times'],
    ...(signature && { signature }),
  }
  const condition: ModelSpec = {
    inputs: { i: SCALAR, s: [1, 4] },
    constants: { three: int(3) },
    operators: [
      { code: 'LESS', inputs: ['i', 'three'], outputs: { go: { type: 'BOOL', shape: [] } } },
    ],
    outputs: ['go'],
  }
  const body: ModelSpec = {
    inputs: { i: SCALAR, s: [1, 4] },
    constants: { one: int(1), half },
    operators: [add('i', 'one', 'next', SCALAR), add('s', 'half', 'sum', [1, 4])],
    outputs: ['next', 'sum'],
  }
  return buildTflite(main, condition, body)
}

const input = (...values: readonly number[]): Record<string, Tensor> => ({
  x: { type: 'float32', shape: [1, 4], data: Float32Array.from(values) },
})

t.test('what a loop makes is given out, at every run', async (t) => {
  const engine = await LitertEngine.start()
  for (const signature of [undefined, 'serve']) {
    const model = engine.load(looping(signature))
    t.same(
      model.outputs.map(({ name, shape }) => [name, shape]),
      [
        ['sum', [1, 4]],
        ['more', [1, 4]],
        ['times', []],
      ],
    )
    for (const first of [1, -7, 30]) {
      const [sum, more, times] = model
        .run(input(first, 2, 3, 4))
        .map(({ data }) => Array.from(data as Float32Array))
      t.same(sum, [first + 1.5, 3.5, 4.5, 5.5])
      t.same(more, [first + 2, 4, 5, 6])
      t.same(times, [3])
    }
    model.close()
  }
})

t.test('other files are given back as they are', async (t) => {
  const plain = buildTflite({
    inputs: { x: [1, 4] },
    constants: { c: constant([1, 4]) },
    operators: [add('x', 'c', 'y', [1, 4])],
    outputs: ['y'],
  })
  t.equal(withCopiedOutputs(plain), plain)
})
