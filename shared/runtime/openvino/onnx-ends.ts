import { RuntimeError } from '../errors.ts'

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 }
const GRAPH = { initializer: 5, input: 11, output: 12, sparseInitializer: 15 }
const VALUE_INFO = { name: 1 }
const TENSOR = { name: 8 }
const SPARSE_TENSOR = { values: 1 }

/** Wire types of Protocol Buffers. */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

export interface EndNames {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * The names of inputs and outputs as the file has them: of a tensor with several names OpenVINO tells any. Old files
 * list constants among the inputs. @throws RuntimeError `not-loadable`
 */
export function readOnnxEnds(model: Uint8Array): EndNames {
  try {
    const [graph] = messages(model, MODEL.graph)
    if (graph === undefined) throw new RangeError('no graph')
    const names = (part: Uint8Array, field: number, name: number) =>
      messages(part, field).map((message) => nameIn(message, name))
    const constants = new Set([
      ...names(graph, GRAPH.initializer, TENSOR.name),
      ...messages(graph, GRAPH.sparseInitializer).flatMap((sparse) =>
        names(sparse, SPARSE_TENSOR.values, TENSOR.name),
      ),
    ])
    return {
      inputs: names(graph, GRAPH.input, VALUE_INFO.name).filter((name) => !constants.has(name)),
      outputs: names(graph, GRAPH.output, VALUE_INFO.name),
    }
  } catch (cause) {
    throw new RuntimeError(
      'not-loadable',
      'not an .onnx model: the file is cut short or damaged, or of another format',
      {},
      { cause },
    )
  }
}

function nameIn(message: Uint8Array, field: number): string {
  return Buffer.from(messages(message, field)[0] ?? []).toString('utf8')
}

/** What a message holds under a number, in order. @throws RangeError where it ends too early */
function messages(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at]
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('no varint')
      at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const wire = key % 8
    if (wire === VARINT) varint()
    else {
      const length = lengthOf(wire, varint)
      if (at + length > message.length) throw new RangeError('cut short')
      if (wire === BYTES && (key - wire) / 8 === wanted)
        found.push(message.subarray(at, at + length))
      at += length
    }
  }
  return found
}

function lengthOf(wire: number, varint: () => number): number {
  if (wire === FIXED64) return 8
  if (wire === FIXED32) return 4
  if (wire === BYTES) return varint()
  throw new RangeError(`wire type ${wire}`)
}
