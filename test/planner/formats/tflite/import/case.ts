import { newMessage, readOnnx, writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import type { OnnxModel } from '../../../../../planner/formats/onnx/model.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import type { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../../../shared/tensors.ts'
import { randomFrom } from '../../onnx/import/one-operator.ts'
import { relativeError } from '../../onnx/import/relative-error.ts'
import { type Row, type SmallOnnx, smallOnnx } from '../../onnx/small-onnx.ts'

/** Where the operator is defined: inputs are drawn from here. */
export type Domain = 'signed' | 'unit' | 'positive' | 'above-one' | 'small-integers'

const DOMAINS: Record<Domain, (random: number) => number> = {
  signed: (random) => random * 4 - 2,
  unit: (random) => random * 1.8 - 0.9,
  positive: (random) => random * 2 + 0.1,
  'above-one': (random) => random * 2 + 1.1,
  'small-integers': (random) => Math.floor(random * 3),
}

export interface OnnxCase extends SmallOnnx {
  /** The operator, then what is particular about this row. */
  readonly title: string
  readonly domain?: Domain
}

/** One operator of the inputs named x, y, z … of these shapes, then of constants. */
export function one(
  title: string,
  inputs: readonly (readonly number[])[],
  attributes: Row[3] = {},
  more: Partial<OnnxCase> & { readonly extra?: readonly string[] } = {},
): OnnxCase {
  const { extra = [], ...rest } = more
  const [operator = ''] = title.split(' ')
  const names = inputs.map((_, i) => ['x', 'y', 'z', 'w'][i] as string)
  return {
    title,
    inputs: Object.fromEntries(names.map((name, i) => [name, inputs[i] as readonly number[]])),
    outputs: ['out'],
    rows: [[operator, [...names, ...extra], ['out'], attributes]],
    ...rest,
  }
}

/** As above, images having passed a 1×1 pool, which leaves them channels last in the result. */
export function behindPool(given: OnnxCase): OnnxCase {
  const images = Object.entries(given.inputs).filter(([, dims]) => dims.length === 4)
  const renamed = new Map(images.map(([name]) => [name, `${name}/pooled`]))
  const rename = (name: string) => renamed.get(name) ?? name
  const pools = images.map(
    ([name]): Row => ['MaxPool', [name], [rename(name)], { kernel_shape: ['ints', [1, 1]] }],
  )
  const rows = given.rows.map(
    ([type, from, to, attributes = {}]): Row => [type, from.map(rename), to, attributes],
  )
  return { ...given, rows: [...pools, ...rows] }
}

export function modelOf(one: OnnxCase): OnnxModel {
  const model = smallOnnx(one)
  const contrib = newMessage('OperatorSetIdProto', { domain: 'com.microsoft', version: 1n })
  model.opsetImport = [...model.opsetImport, contrib]
  for (const node of model.graph?.node ?? []) {
    const [domain, opType] = [
      node.opType.split('.').slice(0, -1).join('.'),
      node.opType.split('.').at(-1),
    ]
    if (domain === '' || opType === undefined) continue
    node.domain = domain
    node.opType = opType
  }
  return readOnnx(writeOnnx(model))
}

/** Largest error over the outputs and two samples, as a share of the largest magnitude. */
export async function errorOf(one: OnnxCase, litert: LitertEngine): Promise<number> {
  const bytes = writeOnnx(modelOf(one))
  const { model } = await importOnnx(bytes, one.title)
  const theirs = await onnxruntime.load(bytes)
  const ours = litert.load(writeTflite(model))
  const random = randomFrom(7)
  const errors: number[] = []
  for (let round = 0; round < 2; round += 1) {
    const sample = Object.fromEntries(
      theirs.inputs.map(({ name, type, shape }): [string, Tensor] => {
        const data = new ARRAY_OF[type](sizeOf(shape))
        for (let i = 0; i < data.length; i += 1)
          data[i] = DOMAINS[one.domain ?? 'signed'](random()) as never
        return [name, { type, shape, data }]
      }),
    )
    const expected = await theirs.run(sample)
    const actual = ours.run(sample)
    for (const [i, { name }] of ours.outputs.entries()) {
      const wanted = expected[name] as Tensor
      errors.push(relativeError(actual[i] as Tensor, wanted.data, wanted.shape))
    }
  }
  ours.close()
  await theirs.close()
  return Math.max(...errors)
}
