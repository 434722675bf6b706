import { z } from 'zod'
import { digestOf } from '../../shared/digest.ts'
import { SHIPMENT_FILE } from '../../shared/trust/index.ts'
import { HawkbitError } from './errors.ts'
import type { ManagementApi } from './management-api.ts'
import { compactTime, named, quoted, tagOf, untilOf, usualTargets } from './names.ts'

export interface PushedFile {
  readonly digest: string
  readonly bytes: number
  readonly name: string
}

export interface PushedVariant {
  readonly model: string
  readonly revision: number | null
  readonly scheme: string
  readonly runtime: string
  readonly digest: string
  readonly files: readonly PushedFile[]
}

/** What devices of one class shall run, as the planner signed it. */
export interface PushedClass {
  readonly class: string
  readonly issuedAt: string
  readonly expires: string
  readonly variants: readonly PushedVariant[]
  readonly shipment: string
}

export const ACTION_TYPES = ['forced', 'soft', 'downloadonly'] as const
export type ActionType = (typeof ACTION_TYPES)[number]

export interface PushOptions {
  /** Keys of types at hawkBit; its own are `application` and `app`. */
  readonly moduleType: string
  readonly setType: string
  readonly action: ActionType
  /** FIQL by class; the usual where a class is not named. */
  readonly targets: ReadonlyMap<string, string>
  /** Devices of the class that are known here, by name. */
  devicesOf(className: string): Promise<readonly string[]>
  /** Bytes of a released file. */
  open(digest: string): Promise<AsyncIterable<Uint8Array>>
  readonly now: Date
}

/** What came of one class. */
export interface Pushed {
  readonly class: string
  /** Name and version of the distribution set. */
  readonly set: string
  readonly version: string
  readonly isNew: boolean
  readonly uploadedBytes: number
  /** Until then devices believe it: to be pushed again before. */
  readonly expires: string
  readonly targets: string
}

const idSchema = z.object({ id: z.number().int() })
const versionedSchema = idSchema.extend({ name: z.string(), version: z.string() })
const artifactsSchema = z.array(
  z.object({ providedFilename: z.string(), hashes: z.object({ sha256: z.string().nullish() }) }),
)
const filterSchema = idSchema.extend({
  query: z.string(),
  autoAssignDistributionSet: z.number().nullish(),
  autoAssignActionType: z.string().nullish(),
})

/**
 * Puts what a class shall run into hawkBit: a software module per variant, one for the signed word on them, a
 * distribution set of these, and a target filter that assigns it. Done again it makes only what lacks: a set is
 * renewed once half of its time is spent.
 * @throws HawkbitError
 */
export async function push(
  api: ManagementApi,
  shipped: PushedClass,
  options: PushOptions,
): Promise<Pushed> {
  const set = named('models for', shipped.class)
  const content = contentOf(shipped)
  const there = await newestSet(api, set, content)
  const until = there && untilOf(there.version)
  const life = Date.parse(shipped.expires) - Date.parse(shipped.issuedAt)
  const isGood = until !== undefined && until.getTime() - options.now.getTime() > life / 2
  const { found, uploadedBytes } =
    isGood && there
      ? { found: there, uploadedBytes: 0 }
      : await makeSet(api, shipped, { set, content }, options)
  const targets = options.targets.get(shipped.class) ?? usualTargets(shipped.class)
  if (!options.targets.has(shipped.class)) await tagTargets(api, shipped.class, options)
  await assign(api, shipped.class, targets, found.id, options.action)
  const expires = untilOf(found.version)?.toISOString() ?? shipped.expires
  const { version } = found
  return {
    class: shipped.class,
    set,
    version,
    isNew: found !== there,
    uploadedBytes,
    expires,
    targets,
  }
}

/** Alike for the same variants, whenever they were signed. */
function contentOf({ variants }: PushedClass): string {
  const files = variants.flatMap((one) => one.files.map(({ digest }) => `${one.model} ${digest}`))
  return digestOf(files.sort().join('\n')).slice(0, 12)
}

async function newestSet(api: ManagementApi, name: string, content: string) {
  const query = `name==${quoted(name)};version==${content}*`
  const all = await api.find('/distributionsets', query, versionedSchema)
  const times = ({ version }: { version: string }) => untilOf(version)?.getTime() ?? 0
  return all.sort((a, b) => times(b) - times(a))[0]
}

async function makeSet(
  api: ManagementApi,
  shipped: PushedClass,
  { set, content }: { readonly set: string; readonly content: string },
  options: PushOptions,
) {
  const version = `${content}.until.${compactTime(shipped.expires)}`
  const modules: number[] = []
  let uploadedBytes = 0
  for (const variant of shipped.variants) {
    const { id, bytes } = await variantModule(api, variant, options)
    modules.push(id)
    uploadedBytes += bytes
  }
  const word = await module(api, named('word for', shipped.class), version, options, {
    description: `what devices of class ${shipped.class} believe until ${shipped.expires}`,
  })
  const text = Buffer.from(shipped.shipment)
  const file = { digest: digestOf(text), bytes: text.length, name: SHIPMENT_FILE }
  uploadedBytes += await fill(api, word, [file], async () => once(text))
  const body = {
    name: set,
    version,
    type: options.setType,
    description: shipped.variants.map(wordsOf).join('; ').slice(0, 512),
    modules: [...modules, word].map((id) => ({ id })),
  }
  const found = await made(
    () => api.send('POST', '/distributionsets', [body], z.array(versionedSchema).length(1)),
    () =>
      api.find('/distributionsets', `name==${quoted(set)};version==${version}`, versionedSchema),
  )
  return { found, uploadedBytes }
}

/** Files of a variant under one version: where something beside it changes, it is another. */
async function variantModule(api: ManagementApi, variant: PushedVariant, options: PushOptions) {
  const all = digestOf(variant.files.map(({ digest }) => digest).join('\n'))
  const version = `${variant.digest.slice(0, 12)}.${all.slice(0, 8)}`
  const description = wordsOf(variant)
  const id = await module(api, named(variant.model), version, options, { description })
  return { id, bytes: await fill(api, id, variant.files, options.open) }
}

function wordsOf({ model, revision, scheme, runtime }: PushedVariant): string {
  return `${model} ${revision === null ? '' : `revision ${revision} `}${scheme} for ${runtime}`
}

async function module(
  api: ManagementApi,
  name: string,
  version: string,
  { moduleType: type }: PushOptions,
  rest: { readonly description: string },
): Promise<number> {
  const find = () =>
    api.find('/softwaremodules', `name==${quoted(name)};version==${quoted(version)}`, idSchema)
  const [known] = await find()
  if (known !== undefined) return known.id
  const body = { name, version, type, vendor: 'fitment', ...rest }
  const one = z.array(idSchema).length(1)
  return (await made(() => api.send('POST', '/softwaremodules', [body], one), find)).id
}

/** Uploads what the module lacks; answers how many bytes. */
async function fill(
  api: ManagementApi,
  id: number,
  files: readonly PushedFile[],
  open: PushOptions['open'],
): Promise<number> {
  const path = `/softwaremodules/${id}/artifacts`
  const there = await api.get(path, artifactsSchema)
  const known = new Set(there.map(({ hashes }) => hashes.sha256))
  let bytes = 0
  for (const file of files) {
    if (known.has(file.digest)) continue
    await api.upload(path, { name: file.name, sha256: file.digest }, () => open(file.digest))
    bytes += file.bytes
  }
  return bytes
}

/** Devices known here are found by a tag; those that hawkBit does not know are left out. */
async function tagTargets(api: ManagementApi, className: string, options: PushOptions) {
  const name = tagOf(className)
  const find = () => api.find('/targettags', `name==${quoted(name)}`, idSchema)
  const devices = await options.devicesOf(className)
  const [known] = await find()
  const one = z.array(idSchema).length(1)
  const body = [{ name, description: `devices of class ${className}` }]
  const { id } = known ?? (await made(() => api.send('POST', '/targettags', body, one), find))
  if (devices.length === 0) return
  const path = `/targettags/${id}/assigned?onNotFoundPolicy=SUCCESS`
  await api.send('POST', path, devices, z.unknown())
}

/** A filter that assigns the set to targets now, and to those that come later. */
async function assign(
  api: ManagementApi,
  className: string,
  query: string,
  set: number,
  type: ActionType,
): Promise<void> {
  const name = named('assigns models to', className)
  const find = () => api.find('/targetfilters', `name==${quoted(name)}`, filterSchema)
  const [known] = await find()
  const filter =
    known ??
    (await made(
      async () => [await api.send('POST', '/targetfilters', { name, query }, filterSchema)],
      find,
    ))
  if (filter.query !== query)
    await api.send('PUT', `/targetfilters/${filter.id}`, { name, query }, filterSchema)
  if (filter.autoAssignDistributionSet === set && filter.autoAssignActionType === type) return
  const path = `/targetfilters/${filter.id}/autoAssignDS`
  await api.send('POST', path, { id: set, type }, z.unknown())
}

/** Somebody else may make the same at the same moment: then it is there. */
async function made<T>(make: () => Promise<T[]>, find: () => Promise<T[]>): Promise<T> {
  const answer = await make().catch((error: unknown) => {
    if (error instanceof HawkbitError && error.status === 409) return find()
    throw error
  })
  const [one] = answer
  if (one !== undefined) return one
  throw new HawkbitError('hawkbit-answer', 'hawkBit made something that it does not find')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
