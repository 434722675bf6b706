import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readTflite, type TflModel, writeTflite } from '../../../../planner/formats/tflite/index.ts'
import { type Dataset, toArrays, writeNpz } from '../../../../shared/dataset/index.ts'
import { askPeer } from './python.ts'

const answerSchema = z.object({
  /** Reading the model, calibrating, quantizing, writing; without starting Python. */
  seconds: z.array(z.number()),
  peakBytes: z.number(),
})

export type AeqRecipe = 'static_wi8_ai8' | 'static_wi8_ai16' | 'dynamic_wi8_afp32'

export interface AeqResult extends z.infer<typeof answerSchema> {
  readonly bytes: Uint8Array
}

/** The same model and the same samples, through ai-edge-quantizer with its own defaults. */
export async function quantizeByAeq(
  model: Uint8Array,
  calibration: Dataset,
  { recipe = 'static_wi8_ai8' as AeqRecipe, rounds = 1 } = {},
): Promise<AeqResult> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-aeq-'))
  const at = (name: string) => join(folder, name)
  try {
    await writeFile(at('float.tflite'), withSignature(model))
    await writeNpz(at('samples.npz'), toArrays(calibration))
    const request = {
      model: at('float.tflite'),
      samples: at('samples.npz'),
      output: at('quantized.tflite'),
      recipe,
      rounds,
    }
    const answer = answerSchema.parse(await askPeer('ai_edge_quantizer_peer.py', request))
    return { ...answer, bytes: new Uint8Array(await readFile(request.output)) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** ai-edge-quantizer calibrates through signatures only. */
function withSignature(bytes: Uint8Array): Uint8Array {
  const model = readTflite(bytes)
  const [main] = model.subgraphs
  if (main === undefined || model.signatureDefs.length > 0) return bytes
  const ends = (indices: readonly number[]) =>
    indices.map((tensorIndex) => ({ name: main.tensors[tensorIndex]?.name ?? '', tensorIndex }))
  const signature: TflModel['signatureDefs'][number] = {
    signatureKey: 'serving_default',
    subgraphIndex: 0,
    inputs: ends(main.inputs ?? []),
    outputs: ends(main.outputs ?? []),
  }
  return writeTflite({ ...model, signatureDefs: [signature] })
}
