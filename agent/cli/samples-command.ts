import { resolve } from 'node:path'
import { samplesFile } from '../../shared/capture/index.ts'
import { writeNpz } from '../../shared/dataset/index.ts'
import { UsageError } from '../../shared/errors.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { readCaptured } from '../observe/index.ts'

export interface WrittenSamples {
  readonly model: string
  readonly file: string
  readonly samples: number
  /** Kept samples that are of other inputs or outputs than most, and so left out. */
  readonly leftOut: number
}

/** All that lies here of a model as one .npz (`samplesFile` says of which arrays). @throws UsageError where nothing was kept */
export async function writeSamples(
  stateDir: string,
  model: string,
  output: string,
): Promise<WrittenSamples> {
  if (!modelNameSchema.safeParse(model).success)
    throw new UsageError(`"${model}" is no name of a model`)
  const kept = await readCaptured(stateDir, model)
  if (kept.length === 0) {
    throw new UsageError(
      `nothing was kept of ${model}: does the agent run with --capture, and does the application tell its inputs?`,
    )
  }
  const file = resolve(output)
  const { arrays, samples, leftOut } = samplesFile(kept)
  await writeNpz(file, arrays)
  return { model, file, samples, leftOut }
}
