import t from 'tap'
import { writeTflite } from '../../../planner/formats/tflite/index.ts'
import type { QuantizeResult } from '../../../planner/quantizer/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { outputSqnr } from './compare.ts'
import {
  buildModel,
  buildTflite,
  constant,
  dense,
  type ModelSpec,
  numbers,
} from './model-builder.ts'

const WIDTH = 24

const square = [WIDTH, WIDTH]

/** x → a → y */
const sound: ModelSpec = {
  inputs: { x: [1, WIDTH] },
  constants: { w: constant(square, -0.3, 0.3, 1), v: constant(square, -0.3, 0.3, 2) },
  operators: [dense('x', 'w', 'a', WIDTH), dense('a', 'v', 'y', WIDTH)],
  outputs: ['y'],
}

function withWeight(change: (data: Float32Array) => void): ModelSpec {
  const data = numbers(square, -0.3, 0.3, 1)
  change(data)
  return { ...sound, constants: { ...sound.constants, w: { shape: square, data } } }
}

function dataOf(samples: number, seed: number, scale = 1) {
  const data = numbers([samples, WIDTH], -scale, scale, seed)
  const x: Tensor = { type: 'float32', shape: [samples, WIDTH], data }
  return toDataset(new Map([['x', x]]), 'noise')
}

function quantized(model: ModelSpec, scale = 1, scheme = 'static-w8a8'): Promise<QuantizeResult> {
  return quantizedBytes(buildTflite(model), scale, scheme)
}

function quantizedBytes(model: Uint8Array, scale = 1, scheme = 'static-w8a8') {
  return quantize({
    model,
    target: 'litert',
    scheme: parseScheme(scheme),
    calibration: dataOf(16, 1, scale),
  })
}

t.test('graphs that cannot run are refused, with the names of tensor and operator', async (t) => {
  const rows: { name: string; model: ModelSpec; says: RegExp }[] = [
    {
      name: 'a cycle',
      model: { ...sound, operators: [dense('y', 'w', 'a', WIDTH), dense('a', 'v', 'y', WIDTH)] },
      says: /reads tensor "y" before operators\[1\] FULLY_CONNECTED "y" makes it: a cycle, or a wrong order \(FULLY_CONNECTED "a"\)/,
    },
    {
      name: 'an operator that reads itself',
      model: { ...sound, operators: [dense('x', 'w', 'a', WIDTH), dense('y', 'v', 'y', WIDTH)] },
      says: /reads tensor "y" before itself makes it/,
    },
    {
      name: 'a wrong order',
      model: { ...sound, operators: [dense('a', 'v', 'y', WIDTH), dense('x', 'w', 'a', WIDTH)] },
      says: /reads tensor "a" before operators\[1\] FULLY_CONNECTED "a" makes it/,
    },
    {
      name: 'two makers',
      model: { ...sound, operators: [...sound.operators, dense('x', 'w', 'a', WIDTH)] },
      says: /makes tensor "a", which operators\[0\] makes already \(FULLY_CONNECTED "a"\)/,
    },
  ]
  for (const { name, model, says } of rows) {
    await t.rejects(quantized(model), { code: 'corrupt', message: says }, name)
  }
  const negative = buildModel(sound)
  const a = negative.subgraphs[0]?.tensors.find(({ name }) => name === 'a')
  if (a) a.shape = [1, -WIDTH]
  await t.rejects(quantizedBytes(writeTflite(negative)), {
    code: 'corrupt',
    message: /has a dimension of -24 \(tensor "a"\)/,
  })
})

t.test('what cannot be quantized stays in float, and the rest still answers rightly', async (t) => {
  const rows: { name: string; model: ModelSpec; scale?: number; says: RegExp[] }[] = [
    {
      name: 'activations of 1e38',
      model: {
        ...withWeight((data) => {
          data.forEach((value, i) => {
            data[i] = value * 1e37
          })
        }),
        operators: [dense('x', 'w', 'a', WIDTH), dense('x', 'v', 'y', WIDTH)],
        outputs: ['y', 'a'],
      },
      says: [/FULLY_CONNECTED "a" stays in float: "a" reaches \d\.\de\+37, and products of scales/],
    },
    {
      name: 'an output that is always zero',
      model: withWeight((data) => data.fill(0)),
      says: [/"a" of FULLY_CONNECTED "a" was zero on all calibration data: give data that reaches/],
    },
    {
      name: 'another type of numbers',
      model: {
        ...sound,
        operators: [
          ...sound.operators,
          {
            code: 'CAST',
            inputs: ['y'],
            outputs: { z: { type: 'FLOAT64', shape: [1, WIDTH] } },
            options: { type: 'CastOptions', inDataType: 'FLOAT32', outDataType: 'FLOAT64' },
          },
        ],
      },
      says: [/CAST "z" stays in float: /],
    },
  ]
  for (const { name, model, scale, says } of rows) {
    const { findings, bytes } = await quantized(model, scale)
    const messages = findings.map(({ message }) => message)
    for (const pattern of says) {
      t.ok(
        messages.some((message) => pattern.test(message)),
        `${name}: ${messages.join(' | ')}`,
      )
    }
    const { y } = await outputSqnr(buildTflite(model), bytes, dataOf(8, 12, scale))
    if (name === 'an output that is always zero') t.equal(y, Number.POSITIVE_INFINITY)
    else t.ok((y ?? 0) > 25, `${name}: ${y} dB`)
  }
})

t.test(
  'weights that are no numbers: an error at the operator, and no integer form of it',
  async (t) => {
    const model = withWeight((data) => {
      data[3] = Number.NaN
    })
    const { findings } = await quantized(model).catch(({ details }) => details as QuantizeResult)
    const messages = findings.map(({ message }) => message).join('\n')
    t.match(messages, /FULLY_CONNECTED "a" stays in float: its weight "w" holds NaN or infinite/)
    const halves = await quantized(model, 1, 'float16')
    t.match(
      halves.findings.map(({ message }) => message),
      [/"w" holds NaN, and so will the answers: the source is damaged/],
    )
  },
)

t.test(
  'names that occur twice: each tensor is quantized by itself, and the user is told',
  async (t) => {
    const model = buildModel({
      ...sound,
      operators: [
        dense('x', 'w', 'a', WIDTH),
        dense('a', 'v', 'b', WIDTH),
        dense('b', 'w', 'y', WIDTH),
      ],
    })
    const b = model.subgraphs[0]?.tensors.find(({ name }) => name === 'b')
    if (b) b.name = 'a'
    const bytes = writeTflite(model)
    const { findings, bytes: made } = await quantizedBytes(bytes)
    t.match(findings, [
      {
        code: 'duplicate-names',
        message:
          /2 tensors are named "a", made by FULLY_CONNECTED "a" and FULLY_CONNECTED "a": each/,
      },
    ])
    const { y } = await outputSqnr(bytes, made, dataOf(8, 12))
    t.ok((y ?? 0) > 30, `${y} dB`)
  },
)
