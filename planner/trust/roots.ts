import { type MetadataOf, metadataFile, parseMetadata } from '../../shared/trust/index.ts'
import type { DurableFolder } from './durable-folder.ts'
import { KeysError } from './errors.ts'

const ROOT_FILE = /^(\d+)\.root\.json$/

export async function latestRootVersion(folder: DurableFolder): Promise<number> {
  const versions = (await folder.list()).map((name) => Number(ROOT_FILE.exec(name)?.[1] ?? 0))
  return Math.max(0, ...versions)
}

const parsed = new WeakMap<Buffer, MetadataOf<'root'>>()

/** @throws KeysError `repository-damaged` where there is none */
export async function latestRoot(folder: DurableFolder): Promise<MetadataOf<'root'>> {
  const version = await latestRootVersion(folder)
  const bytes = await requireBytes(folder, metadataFile('root', version))
  const root = parsed.get(bytes) ?? parseMetadata('root', bytes)
  parsed.set(bytes, root)
  return root
}

/** The chain a device must follow that believes `since` now. */
export async function rootsAfter(
  folder: DurableFolder,
  since: number,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  const latest = await latestRootVersion(folder)
  for (let version = since + 1; version <= latest; version += 1) {
    const file = metadataFile('root', version)
    files[file] = (await requireBytes(folder, file)).toString()
  }
  return files
}

/** @throws KeysError `repository-damaged` */
export async function requireBytes(folder: DurableFolder, file: string): Promise<Buffer> {
  const bytes = await folder.read(file)
  if (bytes) return bytes
  throw new KeysError(
    'repository-damaged',
    `${folder.dir} lacks ${file}: restore it from its backup`,
  )
}
