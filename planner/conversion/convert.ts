import { type Dataset, samplesFor, takeSamples } from '../../shared/dataset/index.ts'
import { AppError } from '../../shared/errors.ts'
import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat, TensorInfo } from '../../shared/runtime/index.ts'
import { convertModel } from '../formats/index.ts'
import { fixShapes, type InputShapes } from '../formats/onnx/index.ts'
import {
  importOnnx,
  type Layout,
  mergeBatches,
  type OnnxImported,
  perAxisIn,
  splitOff,
} from '../formats/tflite/import/index.ts'
import { inspectTflite, readTflite, writeTflite } from '../formats/tflite/index.ts'
import { bisect } from './bisect.ts'
import { holdRelease } from './hold-release.ts'
import { type OnIntegers, onIntegers } from './integers.ts'
import { type Bar, differing, refuseDifferent } from './judge.ts'
import { type EdgeOrder, opened, type Proof, prove, type Samples } from './prove.ts'
import { generatedSample } from './samples.ts'
import { withoutRounding } from './without-rounding.ts'

export interface ConversionRequest {
  readonly bytes: Uint8Array
  readonly from: ModelFormat
  readonly to: ModelFormat
  readonly fileName: string
  /** Of inputs that an .onnx source leaves open; it is run as it is, and converted so. */
  readonly shapes?: InputShapes
  /** To prove the result on; plausible samples are made where absent. */
  readonly data?: Dataset
  /** Largest difference of an output that is written, as a share of its range. */
  readonly tolerance: number
  readonly edges?: Layout
  /** Leaves no batch open. */
  readonly keepClosed?: boolean
  /** Leaves out what ends a model with as many rows as there are, where that is in the way; other outputs stand there then. */
  readonly mayEndEarlier?: boolean
  /** The TensorFlow Lite that shall run the .tflite result. */
  readonly release?: string
}

export interface ProvenConversion {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
  readonly proof: Proof
  /** Of a .tflite result. */
  readonly tflite: {
    readonly operators: number
    readonly transposes: number
    /** Oldest release of the runtime that loads it. */
    readonly minRuntime: string
    readonly openBatch: boolean
    /** Where the source rounds to codes: how much computes on integers, as the source's scales say. */
    readonly integers?: {
      readonly operators: OnIntegers['operators']
      /** How far integer kernels, which round in another way, are from the source. */
      readonly proof: Proof
    }
  } | null
}

const GENERATED = 3

/** As a share of an output's range. */
export const DEFAULT_TOLERANCE = 1e-4

/**
 * The model in the other format, after it answered as its source does on every sample.
 * @throws ProofError where it does not, naming where the two part; OnnxImportError, ImportError, OnnxError, TfliteError
 */
export async function convertProven(request: ConversionRequest): Promise<ProvenConversion> {
  return request.to === 'tflite' ? await toTflite(request) : await toOnnx(request)
}

async function toOnnx(request: ConversionRequest): Promise<ProvenConversion> {
  const { bytes, from, to, fileName } = request
  const converted = await convertModel(bytes, from, to, fileName)
  const samples = samplesOf(request, await inputsOf(request))
  // Kernels that store weights as codes round their inputs to codes as well, each release in its way.
  const rounds = converted.findings.some(({ code }) => code === 'source-already-quantized')
  const proof = await proveInTime(
    { format: from, bytes, rounds },
    { format: to, bytes: converted.bytes },
    samples,
  )
  refuseDifferent(proof, { ...request, rounds }, null)
  return { bytes: converted.bytes, findings: converted.findings, proof, tflite: null }
}

/** Of a caller's set, spread over it. */
const MOST_SAMPLES = 16

function samplesOf(request: ConversionRequest, inputs: readonly TensorInfo[]): Samples {
  const { data } = request
  if (data === undefined) return generated(request, inputs)
  const { count, at } = samplesFor(takeSamples(data, MOST_SAMPLES), inputs)
  return Array.from({ length: count }, (_, i) => at(i))
}

function generated(
  { shapes }: ConversionRequest,
  inputs: readonly TensorInfo[],
  batch = 1,
): Samples {
  const sized = inputs.map((info) => ({ ...info, shape: shapes?.get(info.name) ?? info.shape }))
  return Array.from({ length: GENERATED }, (_, i) => generatedSample(sized, i + 1, batch))
}

/** What the source takes, as its runtime says. @throws ProofError */
async function inputsOf({ from, bytes }: ConversionRequest): Promise<readonly TensorInfo[]> {
  const session = await opened({ format: from, bytes })
  await session.close()
  return session.inputs
}

async function toTflite(whole: ConversionRequest): Promise<ProvenConversion> {
  const { fileName } = whole
  const split = whole.mayEndEarlier ? splitOff(whole.bytes, fileName) : null
  const request = split === null ? whole : { ...whole, bytes: split.bytes }
  const closed = await imported(request)
  const inputs = await inputsOf(request)
  const samples = samplesOf(request, inputs)
  const unrounded = withoutRounding(request.bytes)
  const rounds = unrounded !== null
  if (rounds) {
    const exact = { ...request, bytes: unrounded.bytes }
    await proveImported(exact, await imported(exact), samples, { rounds: false })
  }
  const rounding = { rounds, roundsLess: unrounded?.whileRunning ?? false }
  const { written } = closed
  const proof = await proveImported(request, closed, samples, rounding)
  const asked = closed.openBatch.length > 0 && !request.keepClosed
  const open = asked ? await withOpenBatch(request, inputs, rounding) : null
  const floats = open ?? written
  const integers = await provenOnIntegers(request, floats, samples)
  const result = integers.bytes
  const findings = [
    ...(split === null ? [] : [split.finding]),
    ...closed.findings,
    ...(asked && open === null ? [batchClosed(closed)] : []),
    ...integers.findings,
  ]
  if (request.release !== undefined) holdRelease(result, fileName, request.release)
  const { versions, operators } = inspectTflite(result, fileName)
  return {
    bytes: result,
    findings,
    proof,
    tflite: {
      operators: operators.reduce((sum, { count }) => sum + count, 0),
      transposes: closed.transposes,
      minRuntime: versions.minRuntime ?? 'unknown',
      openBatch: open !== null,
      ...(integers.on && { integers: integers.on }),
    },
  }
}

type Rounding = Pick<Bar, 'rounds' | 'roundsLess'>

interface ProvenIntegers {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
  readonly on: { readonly operators: OnIntegers['operators']; readonly proof: Proof } | null
}

/** On integers, where the source rounds to codes and those kernels answer nearly as it does; else as it is. */
async function provenOnIntegers(
  { bytes, edges = 'source', tolerance }: ConversionRequest,
  floats: Uint8Array,
  samples: Samples,
): Promise<ProvenIntegers> {
  const integers = await onIntegers(floats)
  if (integers === null) return { bytes: floats, findings: [], on: null }
  const proof = await proveInTime(
    { format: 'onnx', bytes, rounds: true },
    { format: 'tflite', bytes: integers.bytes },
    samples,
    orderAt(edges),
  )
  if (differing(proof, { tolerance, rounds: true }).length === 0)
    return { bytes: integers.bytes, findings: [], on: { operators: integers.operators, proof } }
  return { bytes: floats, findings: [integersDiffer(proof)], on: null }
}

function integersDiffer(proof: Proof): Finding {
  return {
    code: 'integers-differ',
    severity: 'warning',
    message: `integer kernels with the scales of the source keep to its answers with ${Math.min(...proof.outputs.map(({ sqnrDb }) => sqnrDb)).toFixed(1)} dB only: kernels compute in float between its codes instead`,
  }
}

/** A conversion as its file: the model itself is as large again, and whoever wants it reads it from there. */
interface Imported extends Omit<OnnxImported, 'model'> {
  readonly written: Uint8Array
}

async function imported(request: ConversionRequest): Promise<Imported> {
  const { fileName, edges = 'source' } = request
  const { model, ...facts } = await importOnnx(sized(request), fileName, { edges })
  return { ...facts, written: writeTflite(model) }
}

/** @throws ProofError where it answers otherwise than the source does */
async function proveImported(
  request: ConversionRequest,
  { written, homes }: Imported,
  samples: Samples,
  rounding: Rounding,
): Promise<Proof> {
  const { bytes, fileName, edges = 'source', tolerance } = request
  const { rounds } = rounding
  const proof = await proveInTime(
    { format: 'onnx', bytes, rounds },
    { format: 'tflite', bytes: written },
    samples,
    orderAt(edges),
  )
  if (differing(proof, { tolerance, ...rounding }).length > 0) {
    const twins = { onnx: bytes, tflite: readTflite(written, fileName), homes }
    // Of two that round, the first code that differs tells nothing.
    const bisects = edges === 'source' && !rounds
    const parting = bisects ? await bisect(twins, samples[0] ?? {}, tolerance) : null
    refuseDifferent(proof, { ...request, ...rounding }, parting)
  }
  return proof
}

function sized({ bytes, shapes, fileName }: ConversionRequest): Uint8Array {
  return shapes === undefined ? bytes : fixShapes(bytes, shapes, fileName)
}

/** Where axes of edges stand: source axis order[i] is the result's axis i. */
function orderAt(edges: Layout): EdgeOrder {
  return (rank) => {
    if (edges === 'source' || rank < 3 || rank > 5) return undefined
    return perAxisIn(
      edges,
      Array.from({ length: rank }, (_, axis) => axis),
    )
  }
}

/** Samples after the first are run while the first was quick; those of a caller's set are few already. */
const QUICK_MS = 4_000

async function proveInTime(
  ...[source, converted, samples, order]: Parameters<typeof prove>
): Promise<Proof> {
  const started = performance.now()
  const first = await prove(source, converted, samples.slice(0, 1), order)
  if (samples.length === 1 || performance.now() - started > QUICK_MS) return first
  const rest = await prove(source, converted, samples.slice(1), order)
  const outputs = first.outputs.map(({ error, sqnrDb, ...output }, i) => ({
    ...output,
    error: Math.max(error, rest.outputs[i]?.error ?? 0),
    sqnrDb: Math.min(sqnrDb, rest.outputs[i]?.sqnrDb ?? sqnrDb),
  }))
  return { samples: samples.length, outputs }
}

/** Two sizes of batch tell what grows with it; neither is one, which kernels and exporters treat apart. */
const FIRST_BATCH = 2

/** The file with an open batch, where it answers two sizes of it as the source does; null where it does not. */
async function withOpenBatch(
  request: ConversionRequest,
  inputs: readonly TensorInfo[],
  rounding: Rounding,
): Promise<Uint8Array | null> {
  const { bytes, fileName, edges = 'source', tolerance } = request
  const { rounds } = rounding
  try {
    const first = await importOnnx(sized(request), fileName, { edges, batch: FIRST_BATCH })
    const second = await importOnnx(sized(request), fileName, { edges, batch: FIRST_BATCH + 1 })
    const merged = mergeBatches({ at: FIRST_BATCH, first: first.model, second: second.model })
    if (merged === null) return null
    const open = writeTflite(merged)
    for (const batch of [1, FIRST_BATCH]) {
      const samples = generated(request, inputs, batch).slice(0, 1)
      const proof = await prove(
        { format: 'onnx', bytes, rounds },
        { format: 'tflite', bytes: open },
        samples,
        orderAt(edges),
      )
      if (differing(proof, { tolerance, ...rounding }).length > 0) return null
    }
    return open
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function batchClosed({ openBatch }: Imported): Finding {
  return {
    code: 'batch-closed',
    severity: 'warning',
    message: `the batch of ${openBatch.map((name) => `"${name}"`).join(', ')} is closed to 1: the model does something with its size that .tflite kernels need to know beforehand`,
  }
}
