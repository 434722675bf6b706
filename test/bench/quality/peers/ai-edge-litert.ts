import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { writeNpz } from '../../../../shared/dataset/index.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { askPeer } from './python.ts'

export const PYTHON_KERNELS = ['xnnpack', 'builtin', 'reference'] as const

const answersSchema = z.array(
  z.union([
    z.object({ type: z.string(), answers: z.array(z.array(z.number())) }),
    z.object({ error: z.string() }),
  ]),
)

export interface LitertJob {
  readonly model: Uint8Array
  /** Of the model's only input, in its own type, samples first. */
  readonly samples: Tensor
  readonly kernels: (typeof PYTHON_KERNELS)[number]
}

export type LitertAnswer = z.infer<typeof answersSchema>[number]

/** The answers of Python's LiteRT, of the models' only outputs as they are stored. */
export async function runInPython(jobs: readonly LitertJob[]): Promise<readonly LitertAnswer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-litert-'))
  try {
    const requests = await Promise.all(
      jobs.map(async ({ model, samples, kernels }, i) => {
        const request = {
          model: join(folder, `${i}.tflite`),
          samples: join(folder, `${i}.npz`),
          kernels,
        }
        await writeFile(request.model, model)
        await writeNpz(request.samples, [['x', samples]])
        return request
      }),
    )
    return answersSchema.parse(await askPeer('litert_peer.py', requests))
  } finally {
    await rm(folder, { recursive: true })
  }
}
