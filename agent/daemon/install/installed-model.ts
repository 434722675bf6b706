import { isDeepStrictEqual } from 'node:util'
import { type InstalledModel, modelFileOf } from '../../artifacts/index.ts'
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

/**
 * What the application beside it is told. A model that cannot be looked into is installed all the same: whether it runs
 * is the self-test's to say.
 */
export async function installedModel(
  assignment: TrustedAssignment,
  engine: Engine,
  file: string,
  { measurementLock, modelRunner }: AgentContext,
  signal: AbortSignal,
): Promise<InstalledModel> {
  const ends = await measurementLock.during(signal, () =>
    modelRunner.look({ file, engine: choiceOf(engine) }, signal),
  )
  return {
    ...howToRun(assignment, engine, modelRunner),
    inputs: ends?.inputs ?? null,
    outputs: ends?.outputs ?? null,
  }
}

/** Whether an application is told already to run the variant so. */
export function runsIn(
  known: InstalledModel | undefined,
  assignment: TrustedAssignment,
  engine: Engine,
  { modelRunner }: Pick<AgentContext, 'modelRunner'>,
): boolean {
  if (known === undefined) return false
  const { inputs: _, outputs: __, ...told } = known
  return isDeepStrictEqual(told, howToRun(assignment, engine, modelRunner))
}

/** All but what goes in and comes out, which the model itself tells. */
function howToRun(
  { model, variant, scheme, engine: directed }: TrustedAssignment,
  { runtime, version, library, delegates, device }: Engine,
  { mostThreads }: Pick<AgentContext['modelRunner'], 'mostThreads'>,
): Omit<InstalledModel, 'inputs' | 'outputs'> {
  const { threads } = directed ?? {}
  return {
    v: 1,
    model,
    variant,
    scheme,
    file: modelFileOf(runtime),
    runtime,
    library: library && { ...library, version },
    delegates: delegates.map(({ name, path, options }) => ({ name, path, options })),
    device,
    // As many as it was measured with here.
    threads: threads === undefined ? null : Math.min(threads, mostThreads ?? threads),
  }
}
