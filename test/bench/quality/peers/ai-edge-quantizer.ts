import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readTflite, type TflModel, writeTflite } from '../../../../planner/formats/tflite/index.ts'
import { type Dataset, toArrays, writeNpz } from '../../../../shared/dataset/index.ts'
import { askPeer } from './python.ts'

const answerSchema = z.object({
  answers: z.array(
    z.union([
      /** Reading the model, calibrating, quantizing, writing; without starting Python. */
      z.object({ seconds: z.number(), processorSeconds: z.number() }),
      z.object({ error: z.string() }),
    ]),
  ),
  peakBytes: z.number(),
  /** Of the process, from its start: imports, samples and all jobs. */
  wholeProcessorSeconds: z.number(),
})

export type AeqRecipe = 'static_wi8_ai8' | 'static_wi8_ai16' | 'dynamic_wi8_afp32'

export interface AeqJob {
  readonly model: Uint8Array
  readonly calibration: Dataset
  readonly recipe?: AeqRecipe
}

export type AeqResult =
  | { readonly bytes: Uint8Array; readonly seconds: number; readonly processorSeconds: number }
  | { readonly error: string }

export interface AeqAnswers {
  readonly results: readonly AeqResult[]
  readonly peakBytes: number
  /** Of the whole process, from its start to its end. */
  readonly wholeSeconds: number
  readonly wholeProcessorSeconds: number
}

/** The same models and the same samples, through ai-edge-quantizer with its own defaults, in one process of Python. */
export async function quantizeByAeq(jobs: readonly AeqJob[]): Promise<AeqAnswers> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-aeq-'))
  try {
    const requests = await Promise.all(jobs.map((job, i) => requestOf(job, join(folder, `${i}`))))
    const start = performance.now()
    const { answers, peakBytes, wholeProcessorSeconds } = answerSchema.parse(
      await askPeer('ai_edge_quantizer_peer.py', requests),
    )
    const wholeSeconds = (performance.now() - start) / 1e3
    const results = answers.map(async (answer, i) =>
      'error' in answer
        ? answer
        : { ...answer, bytes: new Uint8Array(await readFile(requests[i]?.output ?? '')) },
    )
    return { results: await Promise.all(results), peakBytes, wholeSeconds, wholeProcessorSeconds }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function requestOf({ model, calibration, recipe = 'static_wi8_ai8' }: AeqJob, path: string) {
  const request = {
    model: `${path}-float.tflite`,
    samples: `${path}-samples.npz`,
    output: `${path}-quantized.tflite`,
    recipe,
  }
  await writeFile(request.model, withSignature(model))
  await writeNpz(request.samples, toArrays(calibration))
  return request
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
