import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { parseClassLabels } from '../../../shared/class-labels.ts'
import type { Digest } from '../../../shared/digest.ts'
import { ArtifactError, type InstalledModel, modelFileOf } from '../../artifacts/index.ts'
import { choiceOf, type Engine } from '../../engines/index.ts'
import type { TrustedAssignment } from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { OrderRefused } from '../errors.ts'

/** What this device runs the variant in. It may have gone since the order came. @throws OrderRefused */
export function engineFor(
  { engine: directed, runtime }: TrustedAssignment,
  { engines }: Pick<AgentContext, 'engines'>,
): Engine {
  const engine = directed ? engines.find(directed) : engines.forFilesOf(runtime)
  if (engine !== undefined) return engine
  throw new OrderRefused('wrong-runtime', `${directed?.runtime ?? runtime} is no longer here`)
}

/** All but what goes in and comes out, which the model itself tells. */
type Told = Omit<InstalledModel, 'inputs' | 'outputs'>

/**
 * What the application beside it is told. A model that cannot be looked into is installed all the same: whether it runs
 * is the self-test's to say.
 */
export async function installedModel(
  told: Told,
  engine: Engine,
  file: string,
  { measurementLock, modelRunner }: AgentContext,
  signal: AbortSignal,
): Promise<InstalledModel> {
  const ends = await measurementLock.during(signal, () =>
    modelRunner.look({ file, engine: choiceOf(engine) }, signal),
  )
  return { ...told, inputs: ends?.inputs ?? null, outputs: ends?.outputs ?? null }
}

/** Whether an application is told already to run the variant so. */
export function isTold(known: InstalledModel | undefined, told: Told): boolean {
  if (known === undefined) return false
  const { inputs: _, outputs: __, ...before } = known
  return isDeepStrictEqual(before, told)
}

/** @throws ArtifactError `wrong-digest` where the labels are gone from the disk, LabelsError */
export async function whatIsTold(
  { model, revision, variant, scheme, engine: directed, labels, sketch }: TrustedAssignment,
  { runtime, version, library, delegates, device }: Engine,
  { modelRunner: { mostThreads }, store }: Pick<AgentContext, 'modelRunner' | 'store'>,
): Promise<Told> {
  const { threads, cores } = directed ?? {}
  return {
    v: 1,
    model,
    revision: revision ?? null,
    variant,
    scheme,
    file: modelFileOf(runtime),
    runtime,
    library: library && { ...library, version },
    delegates: delegates.map(({ name, path, options }) => ({ name, path, options })),
    device,
    // As many as it was measured with here.
    threads: threads === undefined ? null : Math.min(threads, mostThreads ?? threads),
    cores: cores ?? null,
    labels: labels ? await labelsIn(labels.digest, store) : null,
    sketch: sketch?.digest ?? null,
  }
}

async function labelsIn(digest: Digest, store: AgentContext['store']): Promise<string[]> {
  const file = await store.locate(digest)
  if (file) return parseClassLabels(await readFile(file, 'utf8'))
  throw new ArtifactError('wrong-digest', 'the labels were spoiled on disk; check the storage')
}
