import { isPackageName } from '../../../shared/trust/index.ts'
import { clock, type RuntimePackage, runtimePackages } from '../../storage/index.ts'
import { isReleasedPackage, type Released, type ReleasedPackage } from '../../trust/index.ts'
import type { ConductorContext } from '../context/context.ts'

/** All packages of one runtime, where another set of them is released now. */
export interface LackingPackages {
  readonly name: string
  readonly what: string
  readonly packages: readonly ReleasedPackage[]
  isIn(released: readonly Released[]): boolean
}

/**
 * The packages there are and those released are the same set: one that was removed is withdrawn, and what is left comes
 * under a counter of its own, so that devices may go back to it.
 */
export async function lackingPackages(context: ConductorContext): Promise<LackingPackages[]> {
  const { db, trust } = context
  const present = await runtimePackages.listPackages(db)
  const published = await trust.image.models()
  const names = new Set([...present.map(({ name }) => name), ...published.filter(isPackageName)])
  const lacking: LackingPackages[] = []
  const floor = await clock.releaseCounterFloor(db)
  for (const name of names) {
    const all = present.filter((each) => each.name === name)
    const released = await trust.image.packages(name)
    if (isSame(released, all)) continue
    const counter = 1 + Math.max(floor, ...released.map(({ releaseCounter }) => releaseCounter))
    const packages = await Promise.all(all.map((each) => describe(context, each, counter)))
    const isIn = (drafted: readonly Released[]) => isSame(drafted.filter(isReleasedPackage), all)
    lacking.push({ name, what: 'packages of a runtime', packages, isIn })
  }
  return lacking
}

async function describe(
  { artifacts }: ConductorContext,
  { digest, name, bytes, manifest }: RuntimePackage,
  releaseCounter: number,
): Promise<ReleasedPackage> {
  const { blockList } = await artifacts.refOf(digest)
  const { runtime, version, architecture } = manifest
  return {
    kind: 'runtime',
    ...{ model: name, runtime, version, architecture, releaseCounter, blockList, digest, bytes },
  }
}

function isSame(
  released: readonly { readonly digest: string }[],
  all: readonly { readonly digest: string }[],
): boolean {
  const digests = new Set(released.map(({ digest }) => digest))
  return digests.size === all.length && all.every(({ digest }) => digests.has(digest))
}
