import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type Dataset, toArrays, writeNpz } from '../../../../shared/dataset/index.ts'
import { askPeer } from './python.ts'

const answerSchema = z.object({
  /** From files to file, after the imports. */
  seconds: z.number(),
  /** Of the process, imports included. */
  processorSeconds: z.number(),
  peakBytes: z.number(),
})

export type OrtJob =
  | {
      readonly kind: 'static'
      readonly method: 'MinMax' | 'Percentile' | 'Entropy'
      /** Through quant_pre_process first. */
      readonly prepare: boolean
      readonly calibration: Dataset
    }
  | { readonly kind: 'dynamic' | 'blocks' }

export type OrtResult = z.infer<typeof answerSchema> & { readonly bytes: Uint8Array }

/** The model through onnxruntime.quantization, in a process of Python of its own. */
export async function quantizeByOrt(model: Uint8Array, job: OrtJob): Promise<OrtResult> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-ort-'))
  try {
    const [path, output, samples] = ['float.onnx', 'quantized.onnx', 'samples.npz'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    await writeFile(path, model)
    if (job.kind === 'static') await writeNpz(samples, toArrays(job.calibration))
    const { calibration: _, ...how } = { calibration: undefined, ...job }
    const answer = answerSchema.parse(
      await askPeer('onnxruntime_peer.py', { ...how, model: path, output, samples }),
    )
    return { ...answer, bytes: new Uint8Array(await readFile(output)) }
  } finally {
    await rm(folder, { recursive: true })
  }
}
