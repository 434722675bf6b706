import type { Tensor } from '../../shared/tensors.ts'
import {
  newMessage,
  type OnnxModel,
  type OnnxNode,
  readOnnx,
  writeOnnx,
} from '../formats/onnx/index.ts'
import { giveOut, type Layout, perAxisIn } from '../formats/tflite/import/index.ts'
import { type TflModel, writeTflite } from '../formats/tflite/index.ts'
import { differenceOf } from './difference.ts'
import { answer, opened, turn } from './prove.ts'

/** Where a conversion begins to differ from its source. */
export interface Parting {
  /** Of the source. */
  readonly operator: string
  readonly node: string
  readonly value: string
  readonly error: number
}

export interface Twins {
  readonly onnx: Uint8Array
  readonly tflite: TflModel
  /** Values that tensors of the same name hold, and in which layout. */
  readonly homes: ReadonlyMap<string, Layout>
}

/**
 * The first value, in the order of the source's nodes, that the converted model does not hold within `tolerance`; null
 * where all that both give out agree. Both models run once, with every value that they share as an output.
 */
export async function bisect(
  { onnx, tflite, homes }: Twins,
  sample: Readonly<Record<string, Tensor>>,
  tolerance: number,
): Promise<Parting | null> {
  const source = readOnnx(onnx)
  const makers = makersOf(source)
  const shared = giveOut(tflite, new Set([...homes.keys()].filter((name) => makers.has(name))))
  const wanted = [...makers.keys()].filter((name) => shared.outputs.includes(name))
  if (wanted.length === 0) return null
  const expected = await run({ format: 'onnx', bytes: withOutputs(source, wanted) }, sample)
  const actual = await run({ format: 'tflite', bytes: writeTflite(shared.model) }, sample)
  for (const name of wanted) {
    const [ours, theirs] = [actual[name], expected[name]]
    if (!ours || !theirs) continue
    const axes = theirs.shape.map((_, axis) => axis)
    const error = differenceOf(ours, turn(theirs, perAxisIn(homes.get(name) ?? 'source', axes)))
    if (error <= tolerance) continue
    const node = makers.get(name) as OnnxNode
    return { operator: node.opType, node: node.name || name, value: name, error }
  }
  return null
}

function makersOf({ graph }: OnnxModel): ReadonlyMap<string, OnnxNode> {
  return new Map(
    graph?.node.flatMap((node) => node.output.filter(Boolean).map((name) => [name, node] as const)),
  )
}

function withOutputs(model: OnnxModel, names: readonly string[]): Uint8Array {
  const output = names.map((name) => newMessage('ValueInfoProto', { name }))
  return writeOnnx({
    ...model,
    graph: { ...(model.graph as NonNullable<OnnxModel['graph']>), output },
  })
}

async function run(model: Parameters<typeof opened>[0], sample: Readonly<Record<string, Tensor>>) {
  const session = await opened(model)
  try {
    return await answer(session, sample)
  } finally {
    await session.close()
  }
}
