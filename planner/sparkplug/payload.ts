import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/**
 * Sparkplug B payloads (Eclipse Sparkplug 3.0, §6.4: `sparkplug_b.proto`), as far as they are said and heard here.
 * Times are ms since 1970; `null` is a metric whose value is not known.
 */
export type Value =
  | { readonly type: 'Int64' | 'Double'; readonly value: number | null }
  | { readonly type: 'Boolean'; readonly value: boolean | null }
  | { readonly type: 'String'; readonly value: string | null }

export type Metrics = ReadonlyMap<string, Value>

export interface Payload {
  readonly timestamp: number
  /** Absent in a NDEATH. */
  readonly seq?: number
  readonly metrics: Metrics
}

/** §6.4.16, data types by number. */
const DATA_TYPES: Readonly<Record<Value['type'], number>> = {
  Int64: 4,
  Double: 10,
  Boolean: 11,
  String: 12,
}

/** Fields of `Payload` and of `Payload.Metric`, by number. */
const PAYLOAD = { timestamp: 1, metrics: 2, seq: 3 } as const
const METRIC = {
  ...{ name: 1, timestamp: 3, datatype: 4, isNull: 7 },
  ...{ long: 11, double: 13, boolean: 14, string: 15 },
} as const

export function printPayload({ timestamp, seq, metrics }: Payload): Buffer {
  const writer = new BinaryWriter()
  writer.tag(PAYLOAD.timestamp, WireType.Varint).uint64(BigInt(timestamp))
  for (const [name, said] of metrics) {
    writer.tag(PAYLOAD.metrics, WireType.LengthDelimited).fork()
    printMetric(writer, name, said, timestamp)
    writer.join()
  }
  if (seq !== undefined) writer.tag(PAYLOAD.seq, WireType.Varint).uint64(BigInt(seq))
  return Buffer.from(writer.finish())
}

function printMetric(writer: BinaryWriter, name: string, said: Value, timestamp: number): void {
  writer.tag(METRIC.name, WireType.LengthDelimited).string(name)
  writer.tag(METRIC.timestamp, WireType.Varint).uint64(BigInt(timestamp))
  writer.tag(METRIC.datatype, WireType.Varint).uint32(DATA_TYPES[said.type])
  if (said.value === null) writer.tag(METRIC.isNull, WireType.Varint).bool(true)
  else if (said.type === 'String')
    writer.tag(METRIC.string, WireType.LengthDelimited).string(said.value)
  else if (said.type === 'Boolean') writer.tag(METRIC.boolean, WireType.Varint).bool(said.value)
  else if (said.type === 'Double') writer.tag(METRIC.double, WireType.Bit64).double(said.value)
  // Negative numbers travel as what they are in two's complement.
  else
    writer
      .tag(METRIC.long, WireType.Varint)
      .uint64(BigInt.asUintN(64, BigInt(Math.round(said.value))))
}

/** Of a command: names of metrics that are said to be true. Bytes that are no payload say nothing. */
export function trueIn(bytes: Uint8Array): ReadonlySet<string> {
  const names = new Set<string>()
  try {
    for (const [field, value] of fieldsOf(bytes)) {
      if (field !== PAYLOAD.metrics || !(value instanceof Uint8Array)) continue
      const metric = new Map(fieldsOf(value))
      const name = metric.get(METRIC.name)
      if (name instanceof Uint8Array && metric.get(METRIC.boolean) === 1)
        names.add(Buffer.from(name).toString())
    }
  } catch {
    return new Set()
  }
  return names
}

function* fieldsOf(bytes: Uint8Array): Generator<[number, Uint8Array | number | undefined]> {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type === WireType.LengthDelimited) yield [field, reader.bytes()]
    else if (type === WireType.Varint) yield [field, Number(reader.uint64())]
    else {
      reader.skip(type, field)
      yield [field, undefined]
    }
  }
}
