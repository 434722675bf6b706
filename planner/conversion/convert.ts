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
import { betweenThreads } from './memory.ts'
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

/** A large model runs on fewer samples than there are. */
const ENOUGH_MS = 2_000

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
  const proof = await prove(
    { format: from, bytes },
    { format: to, bytes: converted.bytes },
    samples,
    { enoughMs: ENOUGH_MS },
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
  const first =
    (request.keepClosed ? null : await importedOpen(request)) ?? (await imported(request))
  const inputs = await inputsOf(request)
  const samples = samplesOf(request, inputs)
  const unrounded = withoutRounding(request.bytes)
  const rounds = unrounded !== null
  if (rounds) {
    const exact = { ...request, bytes: unrounded.bytes }
    await proveImported(exact, await imported(exact), samples, { rounds: false })
  }
  const rounding = { rounds, roundsLess: unrounded?.whileRunning ?? false }
  const larger = generated(request, inputs, FIRST_BATCH).slice(0, 1)
  const openProof = first.open
    ? await proofOfOpen(request, first, [...larger, ...samples], rounding)
    : null
  const kept = first.open && openProof === null ? await imported(request) : first
  const proof = openProof ?? (await proveImported(request, kept, samples, rounding))
  const integers = await provenOnIntegers(request, kept.written, samples)
  const result = integers.bytes
  const findings = [
    ...(split === null ? [] : [split.finding]),
    ...kept.findings,
    ...(request.keepClosed ? [] : batchClosed(kept)),
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
      transposes: kept.transposes,
      minRuntime: versions.minRuntime ?? 'unknown',
      openBatch: kept.open,
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
  request: ConversionRequest,
  floats: Uint8Array,
  samples: Samples,
): Promise<ProvenIntegers> {
  const integers = await onIntegers(floats)
  if (integers === null) return { bytes: floats, findings: [], on: null }
  const proof = await proofBesideSource(request, integers.bytes, samples)
  if (differing(proof, { tolerance: request.tolerance, rounds: true }).length === 0)
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
  /** Whether the file takes any batch. */
  readonly open: boolean
}

async function imported(request: ConversionRequest): Promise<Imported> {
  const { fileName, edges = 'source' } = request
  const { model, ...facts } = await importOnnx(sized(request), fileName, { edges })
  return { ...facts, written: betweenThreads(writeTflite(model)), open: false }
}

/** A .tflite beside the .onnx that it was made of, on at least so many samples. */
function proofBesideSource(
  { bytes, edges = 'source' }: ConversionRequest,
  written: Uint8Array,
  samples: Samples,
  atLeast = 1,
): Promise<Proof> {
  const [source, converted] = [
    { format: 'onnx', bytes },
    { format: 'tflite', bytes: written },
  ] as const
  return prove(source, converted, samples, {
    order: orderAt(edges),
    enoughMs: ENOUGH_MS,
    atLeast,
  })
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
  const proof = await proofBesideSource(request, written, samples)
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

/** Two sizes of batch tell what grows with it; neither is one, which kernels and exporters treat apart. */
const FIRST_BATCH = 2

/** With an open batch, where the source has one; null where no file can have it so. */
async function importedOpen(request: ConversionRequest): Promise<Imported | null> {
  const { fileName, edges = 'source' } = request
  const at = (batch: number) => importOnnx(sized(request), fileName, { edges, batch })
  try {
    const { model, ...facts } = await at(FIRST_BATCH)
    if (facts.openBatch.length === 0)
      return { ...facts, written: betweenThreads(writeTflite(model)), open: false }
    const { model: second } = await at(FIRST_BATCH + 1)
    const merged = mergeBatches({ at: FIRST_BATCH, first: model, second })
    return merged && { ...facts, written: betweenThreads(writeTflite(merged)), open: true }
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

/** @returns null where it answers otherwise than the source does, to the first of the samples, a larger batch, or to any other */
async function proofOfOpen(
  request: ConversionRequest,
  { written }: Imported,
  samples: Samples,
  rounding: Rounding,
): Promise<Proof | null> {
  try {
    const proof = await proofBesideSource(request, written, samples, 2)
    return differing(proof, { tolerance: request.tolerance, ...rounding }).length === 0
      ? proof
      : null
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function batchClosed({ open, openBatch }: Imported): Finding[] {
  if (open || openBatch.length === 0) return []
  return [
    {
      code: 'batch-closed',
      severity: 'warning',
      message: `the batch of ${openBatch.map((name) => `"${name}"`).join(', ')} is closed to 1: the model does something with its size that .tflite kernels need to know beforehand`,
    },
  ]
}
