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
} from '../formats/tflite/import/index.ts'
import { inspectTflite, writeTflite } from '../formats/tflite/index.ts'
import { bisect, type Parting } from './bisect.ts'
import { ProofError } from './errors.ts'
import { type EdgeOrder, opened, type Proof, prove, type Samples } from './prove.ts'
import { generatedSample } from './samples.ts'

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
  const proof = await proveInTime(
    { format: from, bytes },
    { format: to, bytes: converted.bytes },
    samples,
  )
  refuseDifferent(proof, request, null)
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

async function toTflite(request: ConversionRequest): Promise<ProvenConversion> {
  const { bytes, fileName, edges = 'source' } = request
  const closed = await importOnnx(sized(request), fileName, { edges })
  const inputs = await inputsOf(request)
  const samples = samplesOf(request, inputs)
  const order = orderAt(edges)
  const written = writeTflite(closed.model)
  const proof = await proveInTime(
    { format: 'onnx', bytes },
    { format: 'tflite', bytes: written },
    samples,
    order,
  )
  if (worst(proof) > request.tolerance) {
    const twins = { onnx: bytes, tflite: closed.model, homes: closed.homes }
    refuseDifferent(
      proof,
      request,
      edges === 'source' ? await bisect(twins, samples[0] ?? {}, request.tolerance) : null,
    )
  }
  const asked = closed.openBatch.length > 0 && !request.keepClosed
  const open = asked ? await withOpenBatch(request, inputs) : null
  const result = open ?? written
  const findings = [...closed.findings, ...(asked && open === null ? [batchClosed(closed)] : [])]
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
    },
  }
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
  const outputs = first.outputs.map(({ name, error }, i) => ({
    name,
    error: Math.max(error, rest.outputs[i]?.error ?? 0),
  }))
  return { samples: samples.length, outputs }
}

function worst({ outputs }: Proof): number {
  return Math.max(0, ...outputs.map(({ error }) => error))
}

/** Two sizes of batch tell what grows with it; neither is one, which kernels and exporters treat apart. */
const FIRST_BATCH = 2

/** The file with an open batch, where it answers two sizes of it as the source does; null where it does not. */
async function withOpenBatch(
  request: ConversionRequest,
  inputs: readonly TensorInfo[],
): Promise<Uint8Array | null> {
  const { bytes, fileName, edges = 'source' } = request
  try {
    const first = await importOnnx(sized(request), fileName, { edges, batch: FIRST_BATCH })
    const second = await importOnnx(sized(request), fileName, { edges, batch: FIRST_BATCH + 1 })
    const merged = mergeBatches({ at: FIRST_BATCH, first: first.model, second: second.model })
    if (merged === null) return null
    const open = writeTflite(merged)
    for (const batch of [1, FIRST_BATCH]) {
      const samples = generated(request, inputs, batch).slice(0, 1)
      const proof = await prove(
        { format: 'onnx', bytes },
        { format: 'tflite', bytes: open },
        samples,
        orderAt(edges),
      )
      if (worst(proof) > request.tolerance) return null
    }
    return open
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function batchClosed({ openBatch }: OnnxImported): Finding {
  return {
    code: 'batch-closed',
    severity: 'warning',
    message: `the batch of ${openBatch.map((name) => `"${name}"`).join(', ')} is closed to 1: the model does something with its size that .tflite kernels need to know beforehand`,
  }
}

/** @throws ProofError where an output is further from the source's than it may be */
function refuseDifferent(
  proof: Proof,
  { fileName, tolerance, to }: ConversionRequest,
  parting: Parting | null,
): void {
  const differing = proof.outputs.filter(({ error }) => !(error <= tolerance))
  if (differing.length === 0) return
  const list = differing
    .map(({ name, error }) => `"${name}" by ${error.toExponential(1)} of its range`)
    .join(', ')
  const where =
    parting === null
      ? ''
      : `; it begins at ${parting.operator} "${parting.node}", whose result "${parting.value}" differs by ${parting.error.toExponential(1)}`
  throw new ProofError(
    'outputs-differ',
    `${fileName}: the .${to} model does not answer as its source (tolerance ${tolerance}): ${list}${where}; nothing is written`,
    { outputs: proof.outputs, parting },
  )
}
