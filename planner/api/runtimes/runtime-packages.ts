import { UsageError } from '../../../shared/errors.ts'
import {
  libraryDigest,
  PackageError,
  type RuntimeManifest,
  unpackedBytes,
  verifyPackage,
} from '../../../shared/runtime-package/index.ts'
import { packageName } from '../../../shared/trust/index.ts'
import { type ConductorContext, commit, suits } from '../../conductor/index.ts'
import {
  audit,
  type Device,
  devices as deviceRows,
  orders,
  type RuntimeOffer,
  type RuntimePackage,
  runtimePackages,
} from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { PackageView } from '../contract/package-views.ts'

/** Becomes the newest of its runtime and architecture; one that is there already is said to be. */
export async function addPackage(
  { source }: OperationInput<'runtimes.add'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'runtimes.add'>> {
  const { artifacts, now } = context
  const manifest = await artifacts.withFiles([source.digest], (pathOf) =>
    manifestOf(pathOf(source.digest), source.name),
  )
  const known = await knownAs(context, source.digest, manifest)
  if (known) return { isNew: false, package: await viewOf(context, known.digest) }
  const { digest, bytes } = await artifacts.refOf(source.digest)
  const name = packageName(manifest.runtime)
  await commit(context, 'runtime.added', async (trx) => {
    await runtimePackages.addPackage(trx, { digest, name, bytes, manifest, addedBy: actor }, now())
    const { version, architecture, source: file } = manifest
    const detail = {
      package: digest,
      version,
      architecture,
      file,
      library: libraryDigest(manifest),
    }
    await audit.writeAudit(trx, { actor, action: 'runtimes.add', subject: name, detail }, now())
  })
  conductor.poke()
  return { isNew: true, package: await viewOf(context, digest) }
}

export async function listPackages(context: ConductorContext): Promise<PackageView[]> {
  const { db, trust } = context
  const all = await runtimePackages.listPackages(db)
  const newest = new Set(runtimePackages.newestOf(all).map(({ digest }) => digest))
  const [devices, takers, offers] = await Promise.all([
    deviceRows.listDevices(db),
    runtimePackages.takers(db),
    runtimePackages.listOffers(db),
  ])
  const views: PackageView[] = []
  for (const each of all) {
    const released = await trust.image.packages(each.name)
    const isNewest = newest.has(each.digest)
    const takes = (device: Device) => isNewest && takers.has(device.id) && suits(each, device)
    views.push({
      ...facts(each),
      newest: isNewest,
      released: released.some(({ digest }) => digest === each.digest),
      devices: standings(each, devices, takes, offers),
    })
  }
  return views
}

/** Devices that have it keep it, until they are given another. @throws ApiError `unknown-package` */
export async function removePackage(
  { package: named }: OperationInput<'runtimes.remove'>,
  { context, conductor, actor }: Call,
): Promise<PackageView> {
  const { now } = context
  const all = await listPackages(context)
  const [found, ...more] = all.filter(({ digest }) => digest.startsWith(named))
  if (!found || more.length > 0) {
    const what = found ? 'more than one package is' : 'no package is'
    throw new ApiError('unknown-package', `${what} ${named}: see fitment runtimes list`)
  }
  const { digest, runtime, version } = found
  await commit(context, 'runtime.removed', async (trx) => {
    for (const offer of await runtimePackages.listOffers(trx)) {
      if (offer.package === digest) await orders.closeOrder(trx, offer.orderId)
    }
    await runtimePackages.forgetOffers(trx, digest)
    await runtimePackages.removePackage(trx, digest)
    const entry = { actor, action: 'runtimes.remove', subject: packageName(runtime) }
    await audit.writeAudit(trx, { ...entry, detail: { package: digest, version } }, now())
  })
  conductor.poke()
  return found
}

async function manifestOf(path: string, name: string): Promise<RuntimeManifest> {
  try {
    return await verifyPackage(path)
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    throw new UsageError(`${name} is no package of a runtime: ${error.message}`)
  }
}

/** The same bytes, or the same files packed by another version of a compressor. */
async function knownAs(
  { db }: ConductorContext,
  digest: string,
  manifest: RuntimeManifest,
): Promise<RuntimePackage | undefined> {
  const all = await runtimePackages.listPackages(db)
  return all.find((each) => each.digest === digest || isSame(each.manifest, manifest))
}

function isSame(one: RuntimeManifest, other: RuntimeManifest): boolean {
  const list = ({ files }: RuntimeManifest) =>
    files
      .map(({ path, digest }) => `${path} ${digest}`)
      .sort()
      .join()
  return one.version === other.version && list(one) === list(other)
}

async function viewOf(context: ConductorContext, digest: string): Promise<PackageView> {
  const view = (await listPackages(context)).find((each) => each.digest === digest)
  if (view) return view
  throw new ApiError('unknown-package', 'it was removed meanwhile: add it again')
}

function facts({ digest, bytes, manifest, addedBy, addedAt }: RuntimePackage) {
  const { runtime, version, architecture, libc, licenses, source } = manifest
  return {
    ...{ digest, runtime, version, architecture, libc, bytes, source, addedBy, addedAt },
    licenses: [...licenses],
    unpackedBytes: unpackedBytes(manifest),
    library: libraryDigest(manifest),
  }
}

function standings(
  { name, digest }: RuntimePackage,
  devices: readonly Device[],
  takes: (device: Device) => boolean,
  offers: readonly RuntimeOffer[],
): PackageView['devices'] {
  const has = ({ slots }: Device) =>
    slots.some((slot) => slot.active && slot.model === name && slot.variant === digest)
  const failed = offers.filter((offer) => offer.package === digest && offer.state === 'failed')
  const isDue = (device: Device) =>
    takes(device) && !has(device) && !failed.some((offer) => offer.device === device.id)
  const ids = (those: (device: Device) => boolean) => devices.filter(those).map(({ id }) => id)
  return {
    have: ids(has),
    due: ids(isDue),
    failed: failed.map(({ device, error }) => ({ device, error: error ?? 'no reason kept' })),
  }
}
