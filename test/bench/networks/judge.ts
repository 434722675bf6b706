import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const execute = promisify(execFile)
const WORKER = join(import.meta.dirname, 'judge-worker.js')
const LIMIT_MS = 300_000

const judgedSchema = z.object({
  outputs: z.array(z.object({ name: z.string(), sqnrDb: z.number().nullable() })),
  /** Where the first output scores classes. */
  agreement: z.number().nullable(),
  notFinite: z.number(),
})

/** How a file answers samples that nobody calibrated with, beside its source. */
export type Judged = z.infer<typeof judgedSchema>

/** In the runtime that the files are for. */
export async function judge(
  float: string,
  quantized: string,
  samples: string,
): Promise<Judged | { readonly error: string }> {
  try {
    const { stdout } = await execute(process.execPath, [WORKER, float, quantized, samples], {
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 26,
    })
    return judgedSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    return { error: stderr.split('\n').find((line) => line.includes('Error')) ?? String(error) }
  }
}
