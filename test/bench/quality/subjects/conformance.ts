import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quantizableTflite } from '../../../../planner/formats/tflite/quantizable.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, samplesFor, toDataset } from '../../../../shared/dataset/index.ts'
import { messageOf } from '../../../../shared/errors.ts'
import { dequantized } from '../../../../shared/measure/index.ts'
import { loadRuntime, type TensorInfo } from '../../../../shared/runtime/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { numbers } from '../../../planner/quantizer/model-builder.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { type AeqResult, quantizeByAeq } from '../peers/ai-edge-quantizer.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const CALIBRATION_SAMPLES = 128
const TEST_SAMPLES = 8

/** Largest mean squared output error in ai-edge-quantizer's own end-to-end tests, where it is not the usual one. */
const USUAL_TOLERANCE = 1e-4
const TOLERANCES: Readonly<Record<string, number>> = {
  single_fc_bias_logistic: 1e-3,
  padv2_inf_max_pool_2d: 1e-2,
  single_max_pool_2d: 1e-2,
  single_gather: 1e-2,
  single_pack: 1e-2,
  single_pad: 1e-2,
  single_padv2: 1e-2,
  single_relu: 3e-2,
  single_resize_bilinear: 3e-2,
}

/** Where half of that is less than rounding the output to 8 bits costs: what may be lost in all, in times of that. */
const TIMES_ROUNDING = 3

const ABSENT = '—'

/** Not asked, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  single_slice: 'the size of its output is data, which LiteRT.js cannot follow',
}

/** Every model of ai-edge-quantizer's tests that is at hand: half the error that its own tests allow. */
export const conformance: QualitySubject = {
  name: 'conformance',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const cases = casesIn(join(sharedData() ?? '', 'conformance', 'tflite'))
    const missing = await withoutPeer('ai-edge-quantizer')
    const peers = missing === undefined ? (await quantizeByAeq(cases)).results : []
    const scores: Score[] = []
    for (const [i, subject] of cases.entries()) scores.push(await scoreOf(subject, peers[i]))
    const left = Object.entries(LEFT_OUT).map(([name, why]) => `${name} left out: ${why}`)
    return [
      {
        title:
          `models of ai-edge-quantizer's tests in static-w8a8: ${CALIBRATION_SAMPLES} uniform calibration samples, ` +
          `mean squared output error over ${TEST_SAMPLES} others`,
        columns: ['MODEL', 'AI-EDGE-QUANTIZER', 'FITMENT'],
        rows: scores.map(rowOf),
        notes: [tally(scores), ...left, ...(missing === undefined ? [] : [missing])],
      },
    ]
  },
}

interface Score {
  readonly name: string
  readonly limit: Limit
  readonly ours: number
  /** Its error, or why there is none. */
  readonly peer: number | string
}

interface Limit {
  readonly text: string
  readonly value: number
}

function rowOf({ name, limit, ours, peer }: Score): QualityRow {
  return {
    cells: [
      name,
      typeof peer === 'string' ? peer.slice(0, 50) : peer.toExponential(1),
      ours.toExponential(1),
    ],
    promise: { text: limit.text, kept: ours < limit.value },
  }
}

function tally(scores: readonly Score[]): string {
  const ours = scores.filter((score) => score.ours < score.limit.value).length
  const asked = scores.filter(({ peer }) => peer !== ABSENT)
  const theirs = asked.filter(({ peer, limit }) => Number(peer) < limit.value).length
  const peer = asked.length === 0 ? '' : `, ai-edge-quantizer on ${theirs} of ${asked.length}`
  return `within these limits: Fitment on ${ours} of ${scores.length}${peer}`
}

/** Real numbers by output, all samples in a row. */
type Answers = ReadonlyMap<string, readonly number[]>

interface Case {
  readonly name: string
  readonly model: Uint8Array
  readonly calibration: Dataset
  readonly test: Dataset
}

function casesIn(folder: string): Case[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.tflite'))
    .map((file) => file.slice(0, -'.tflite'.length))
    .filter((name) => !(name in LEFT_OUT))
    .map((name) => {
      const model = new Uint8Array(readFileSync(join(folder, `${name}.tflite`)))
      const inputs = inputsOf(model)
      return {
        name,
        model,
        calibration: uniform(inputs, CALIBRATION_SAMPLES, 1),
        test: uniform(inputs, TEST_SAMPLES, 1001),
      }
    })
}

async function scoreOf(subject: Case, peer: AeqResult | undefined): Promise<Score> {
  const { name, model, calibration, test } = subject
  const scheme = parseScheme('static-w8a8')
  const { bytes } = await quantize({ model, target: 'litert', scheme, calibration })
  const expected = await answersOf(model, test)
  return {
    name,
    limit: limitOf(name, expected),
    ours: meanSquaredError(expected, await answersOf(bytes, test)),
    peer: await peerError(expected, test, peer),
  }
}

/** Half of what the peer's tests allow, or what 8 bits can do where that is more. */
function limitOf(name: string, expected: Answers): Limit {
  const half = (TOLERANCES[name] ?? USUAL_TOLERANCE) / 2
  const rounding = Math.max(...[...expected.values()].map(roundingError))
  if (rounding <= half) return { text: `< ${half.toExponential(1)}`, value: half }
  const value = TIMES_ROUNDING * rounding
  return { text: `< ${value.toExponential(1)} (${TIMES_ROUNDING} × rounding)`, value }
}

/** The error that is left when everything is exact but the output, rounded to 256 steps over its range. */
function roundingError(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite)
  const step = (Math.max(0, ...finite) - Math.min(0, ...finite)) / 255
  return step ** 2 / 12
}

async function peerError(
  expected: Answers,
  test: Dataset,
  peer: AeqResult | undefined,
): Promise<number | string> {
  if (peer === undefined) return ABSENT
  if ('error' in peer) return `fails: ${peer.error}`
  try {
    return meanSquaredError(expected, await answersOf(peer.bytes, test))
  } catch (error) {
    return `does not run: ${messageOf(error)}`
  }
}

/** Of the output that fares worst. Numbers that are not finite in the source's answer are left out. */
function meanSquaredError(expected: Answers, found: Answers): number {
  const errors = [...expected].map(([name, values]) => {
    const others = found.get(name) ?? []
    const squares = values.flatMap((value, i) =>
      Number.isFinite(value) ? [(value - (others[i] ?? Number.NaN)) ** 2] : [],
    )
    return squares.reduce((sum, square) => sum + square, 0) / Math.max(1, squares.length)
  })
  return Math.max(...errors)
}

async function answersOf(bytes: Uint8Array, test: Dataset): Promise<Answers> {
  const session = await (await loadRuntime('litert')).load(bytes)
  try {
    const samples = samplesFor(test, session.inputs)
    const answers = new Map(session.outputs.map(({ name }): [string, number[]] => [name, []]))
    for (let i = 0; i < samples.count; i += 1) {
      const outputs = await session.run(samples.at(i))
      for (const info of session.outputs) {
        const output = outputs[info.name]
        if (output) answers.get(info.name)?.push(...Array.from(dequantized(info, output)))
      }
    }
    return answers
  } finally {
    await session.close()
  }
}

function inputsOf(model: Uint8Array): readonly TensorInfo[] {
  const opened = quantizableTflite.open(model, { sources: 'keep', forIntegers: false })
  return (
    (opened as { entries: readonly { inputs: readonly TensorInfo[] }[] }).entries[0]?.inputs ?? []
  )
}

function uniform(inputs: readonly TensorInfo[], samples: number, seed: number): Dataset {
  const arrays = inputs.map(({ name, shape }, i): [string, Tensor] => {
    const closed = [samples, ...shape.map((dim) => Math.abs(dim))]
    return [name, { type: 'float32', shape: closed, data: numbers(closed, 0, 1, seed + i) }]
  })
  return toDataset(new Map(arrays), 'uniform numbers')
}
