import type { Model } from '../../storage/index.ts'
import { type TargetName, targetOf } from '../../targets/index.ts'
import { type Candidate, contentKey } from '../../variants/index.ts'
import type { ConductorContext } from '../context/context.ts'

type Compilers = Awaited<ReturnType<ConductorContext['findCompilers']>>

const NO_COMPILERS: Compilers = { found: {}, missing: {} }

/** Of this host; sought only where one of the targets takes compiled files. */
export async function compilersFor(
  { findCompilers }: Pick<ConductorContext, 'findCompilers'>,
  targets: readonly TargetName[],
): Promise<Compilers> {
  const wanted = targets.some((name) => targetOf(name).accelerator?.compiler)
  return wanted ? await findCompilers() : NO_COMPILERS
}

/** What the candidate's file is known by; the version of its compiler is part of what it is made of. */
export function keyOf(
  { source, calibration, reference }: Pick<Model, 'source' | 'calibration' | 'reference'>,
  { tuning, ...candidate }: Candidate,
  { found }: Compilers = NO_COMPILERS,
): string {
  const tuned = tuning && { tuning, test: reference.whole }
  const compiler = targetOf(candidate.runtime).accelerator?.compiler?.name
  const version = compiler && `${compiler} ${found[compiler]?.version ?? 'unknown'}`
  return contentKey(candidate, source, calibration, tuned, version)
}
