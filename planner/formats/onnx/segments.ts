import { create, toBinary } from '@bufbuild/protobuf'
import { newMessage, type OnnxModel, type OnnxTensor } from './model.ts'
import { messageType } from './registry.ts'
import type { MessageName } from './schema.ts'

/** Fields of onnx.proto that may hold megabytes. */
const GRAPH = 7
const INITIALIZER = 5
const RAW_DATA = 9

/**
 * The file as pieces in their order, constants' bytes being the model's own: a writer of nested messages would copy
 * them once for every level.
 */
export function segmentsOf(model: OnnxModel): Uint8Array[] {
  const { graph } = model
  if (graph === undefined) return [encoded('ModelProto', model)]
  const [before, after] = around('ModelProto', model, GRAPH)
  const [head, tail] = around('GraphProto', graph, INITIALIZER)
  const constants = constantSegments(graph.initializer)
  return [before, ...delimited(GRAPH, [head, ...constants, tail]), after]
}

/** Constants that cost less to copy than to take apart: scales, shapes, biases. */
const SMALL_BYTES = 2 ** 14
/** Those that hold numbers, instead of raw bytes, may be of any size: each is encoded alone. */
const isSmall = ({ rawData }: OnnxTensor) => rawData.length > 0 && rawData.length <= SMALL_BYTES

function constantSegments(constants: readonly OnnxTensor[]): Uint8Array[] {
  const segments: Uint8Array[] = []
  let small: OnnxTensor[] = []
  const writeSmall = () => {
    if (small.length === 0) return
    segments.push(encoded('GraphProto', newMessage('GraphProto', { initializer: small })))
    small = []
  }
  for (const tensor of constants) {
    if (isSmall(tensor)) {
      small.push(tensor)
      continue
    }
    writeSmall()
    segments.push(...delimited(INITIALIZER, tensorSegments(tensor)))
  }
  writeSmall()
  return segments
}

function tensorSegments(tensor: OnnxTensor): Uint8Array[] {
  if (tensor.rawData.length === 0) return [encoded('TensorProto', tensor)]
  const [before, after] = around('TensorProto', tensor, RAW_DATA)
  return [before, ...delimited(RAW_DATA, [tensor.rawData]), after]
}

const NUMBERS = new Map<MessageName, ReadonlyMap<string, number>>()

function numbersOf(name: MessageName): ReadonlyMap<string, number> {
  const known =
    NUMBERS.get(name) ?? new Map(messageType(name).fields.map((one) => [one.localName, one.number]))
  NUMBERS.set(name, known)
  return known
}

/** The message's fields before one, and those behind it, where unknown ones stand too. */
function around(name: MessageName, message: object, field: number): [Uint8Array, Uint8Array] {
  const numbers = numbersOf(name)
  const entries = Object.entries(message)
  const where = (test: (number: number) => boolean) =>
    Object.assign(
      create(messageType(name)),
      Object.fromEntries(
        entries.filter(([key]) => key !== '$typeName' && test(numbers.get(key) ?? Infinity)),
      ),
    )
  return [
    encoded(
      name,
      where((number) => number < field),
    ),
    encoded(
      name,
      where((number) => number > field),
    ),
  ]
}

/** A length-delimited field: wire type 2 (protobuf encoding). */
function delimited(field: number, segments: Uint8Array[]): Uint8Array[] {
  const size = segments.reduce((sum, { length }) => sum + length, 0)
  return [Uint8Array.from([field * 8 + 2, ...varint(size)]), ...segments]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) + 128)
  }
}

function encoded(name: MessageName, message: object): Uint8Array {
  return toBinary(messageType(name), message as never)
}
