import { messageOf } from '../../../../shared/errors.ts'
import { loadNative } from '../../../../shared/runtime/index.ts'
import { writeOnnx } from '../codec.ts'
import { CONTRIB, operatorName } from '../domains.ts'
import { OnnxError } from '../errors.ts'
import { newMessage, type OnnxModel, type OnnxTensor, type OnnxValueInfo } from '../model.ts'
import { opsetOf } from '../opset.ts'

/** What is known of a value before the model runs. */
export interface ValueType {
  /** Element type of a tensor; null for sequences, maps and optionals. */
  readonly type: string | null
  /** -1 where a dimension is open; null where not even the rank is known. */
  readonly shape: readonly number[] | null
}

export type ValueTypes = ReadonlyMap<string, ValueType>

/**
 * Types and shapes of every value of the main graph, from ONNX Runtime's own inference: the model is
 * loaded, not run, with all its values as outputs.
 * @throws OnnxError `not-loadable` with the runtime's reason
 */
export async function inferValues(model: OnnxModel): Promise<ValueTypes> {
  const { graph } = model
  if (graph === undefined) return new Map()
  const names = new Set(graph.node.flatMap((node) => node.output.filter((name) => name !== '')))
  const declared = new Set(graph.output.map(({ name }) => name))
  const rest = [...names].filter((name) => !declared.has(name))
  const output = [...graph.output, ...rest.map((name) => newMessage('ValueInfoProto', { name }))]
  const large = new Set(graph.initializer.filter(isLarge))
  const values = await metadataOf({
    ...model,
    graph: {
      ...graph,
      output,
      // Their numbers say nothing about shapes: no need to copy them into a session.
      initializer: graph.initializer.filter((tensor) => !large.has(tensor)),
      input: [...graph.input, ...Array.from(large, inputFor)],
    },
  })
  for (const tensor of graph.initializer) values.delete(tensor.name)
  return values
}

/** More than any list of dimensions, axes or pads. */
const LARGE_BYTES = 4096

function isLarge({ rawData }: OnnxTensor): boolean {
  return rawData.length > LARGE_BYTES
}

function inputFor({ name, dataType, dims }: OnnxTensor): OnnxValueInfo {
  const dim = dims.map((size) => ({ value: { case: 'dimValue', value: size } }))
  return newMessage('ValueInfoProto', {
    name,
    type: { value: { case: 'tensorType', value: { elemType: dataType, shape: { dim } } } },
  })
}

async function metadataOf(model: OnnxModel): Promise<Map<string, ValueType>> {
  const ort = await loadNative()
  try {
    const session = await ort.InferenceSession.create(writeOnnx(model), {
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
    })
    const all = [...session.inputMetadata, ...session.outputMetadata]
    const values = new Map(all.map((info) => [info.name, valueType(info)]))
    await session.release()
    return values
  } catch (cause) {
    throw new OnnxError('not-loadable', reasonFor(model, messageOf(cause)), {}, { cause })
  }
}

const NEWEST_OPSET = /till opset (\d+)/
/** Domains whose operators come with ONNX Runtime. */
const KNOWN_DOMAINS: ReadonlySet<string> = new Set([
  '',
  'ai.onnx.ml',
  'ai.onnx.preview.training',
  CONTRIB,
  'com.microsoft.nchwc',
  'com.ms.internal.nhwc',
])

/** The runtime's own words name source files: what users can do something about is said in ours. */
function reasonFor(model: OnnxModel, words: string): string {
  const newest = NEWEST_OPSET.exec(words)?.[1]
  if (newest !== undefined) {
    return `the model is of opset ${opsetOf(model)}, and ONNX Runtime here loads ${newest} at most: export it with opset ${newest} or older`
  }
  const local = new Set(model.functions.map(({ domain }) => domain))
  const foreign = model.graph?.node.find(
    ({ domain }) => !KNOWN_DOMAINS.has(domain) && !local.has(domain),
  )
  if (foreign !== undefined) {
    return `the model uses ${operatorName(foreign)}, an operator that does not come with ONNX Runtime: export it with standard operators`
  }
  return `ONNX Runtime cannot load the model: ${words.split('\n')[0]}`
}

type Metadata = { isTensor: false } | { isTensor: true; type: string; shape: readonly unknown[] }

function valueType(info: Metadata): ValueType {
  if (!info.isTensor) return { type: null, shape: null }
  const shape = info.shape.map((dim) => (typeof dim === 'number' ? dim : -1))
  // A scalar and an unknown rank look alike here; nothing that matters to quantization is a scalar.
  return { type: info.type, shape: shape.length === 0 ? null : shape }
}
