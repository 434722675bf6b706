import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ArchiveError, listZip, readZipEntry, type ZipEntry } from '../archive/index.ts'
import { digestOfFile } from '../digest.ts'
import { syncFolder, writeDurably } from '../durable/index.ts'
import { AppError, messageOf } from '../errors.ts'
import { parseJson } from '../json.ts'
import { formatBytes } from '../units.ts'
import { PackageError } from './errors.ts'
import {
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  MAX_UNPACKED_BYTES,
  type RuntimeManifest,
  runtimeManifestSchema,
} from './manifest.ts'

type Packed = RuntimeManifest['files'][number] & { readonly entry: ZipEntry }

/** What a package says it is; its files are not looked at. @throws PackageError */
export function readManifest(path: string): Promise<RuntimeManifest> {
  return withPackage(path, async (_, { manifest }) => manifest)
}

/** The same once every file is what the manifest says. @throws PackageError */
export function verifyPackage(path: string): Promise<RuntimeManifest> {
  return withPackage(path, async (archive, { manifest, files }) => {
    for (const packed of files) await unpack(archive, packed, async () => {})
    return manifest
  })
}

/**
 * Writes the files of a package and its manifest, each verified, all on disk when it resolves. The manifest comes
 * last: a folder without one is half a package.
 * @param reach called after each file, where a test may cut the power
 * @throws PackageError, and whatever the file system throws
 */
export function unpackPackage(
  path: string,
  folder: string,
  reach: () => void = () => {},
): Promise<RuntimeManifest> {
  return withPackage(path, async (archive, { manifest, files }) => {
    const folders = new Set([folder])
    for (const packed of files) {
      const target = join(folder, packed.path)
      await mkdir(dirname(target), { recursive: true })
      for (let up = dirname(target); up.length > folder.length; up = dirname(up)) folders.add(up)
      await writeFileOf(archive, packed, target)
      reach()
    }
    for (const each of folders) await syncFolder(each)
    await writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    return manifest
  })
}

/** The manifest of an unpacked package, whatever its files are; undefined where there is none. */
export async function manifestIn(folder: string): Promise<RuntimeManifest | undefined> {
  try {
    return parseJson(runtimeManifestSchema, await readFile(join(folder, MANIFEST_FILE), 'utf8'))
  } catch {
    return undefined
  }
}

/** Reads every file: whole means that each has its digest. */
export async function isWhole(folder: string): Promise<boolean> {
  const manifest = await manifestIn(folder)
  if (!manifest) return false
  for (const { path, digest } of manifest.files) {
    const found = await digestOfFile(join(folder, path)).catch(() => undefined)
    if (found !== digest) return false
  }
  return true
}

interface Listed {
  readonly manifest: RuntimeManifest
  readonly files: readonly Packed[]
}

async function withPackage<T>(
  path: string,
  work: (archive: FileHandle, listed: Listed) => Promise<T>,
): Promise<T> {
  const archive = await open(path)
  try {
    return await work(archive, await list(archive))
  } catch (cause) {
    // Of the file system, or said already.
    const isOurs = cause instanceof AppError && !(cause instanceof ArchiveError)
    if (isOurs || (cause instanceof Error && 'syscall' in cause)) throw cause
    throw new PackageError('damaged-package', `it is damaged: ${messageOf(cause)}`, {}, { cause })
  } finally {
    await archive.close()
  }
}

async function list(archive: FileHandle): Promise<Listed> {
  const entries = await listZip(archive).catch((cause: unknown) => {
    throw new PackageError('no-package', 'it is no archive', {}, { cause })
  })
  const manifest = await manifestOf(archive, entries)
  const members = new Map(entries.map((entry) => [entry.name, entry]))
  const files = manifest.files.flatMap((file) => {
    const entry = members.get(file.path)
    return entry?.size === file.bytes ? [{ ...file, entry }] : []
  })
  if (files.length < manifest.files.length || entries.length !== files.length + 1) {
    throw new PackageError('damaged-package', 'its files are not those that its manifest names')
  }
  return { manifest, files }
}

async function manifestOf(
  archive: FileHandle,
  entries: readonly ZipEntry[],
): Promise<RuntimeManifest> {
  const entry = entries.find(({ name }) => name === MANIFEST_FILE)
  if (!entry) throw new PackageError('no-package', `it has no ${MANIFEST_FILE}`)
  const whole = entries.reduce((sum, { size }) => sum + size, 0)
  if (entry.size > MAX_MANIFEST_BYTES || whole > MAX_UNPACKED_BYTES + MAX_MANIFEST_BYTES) {
    const most = formatBytes(MAX_UNPACKED_BYTES)
    throw new PackageError('package-too-large', `it has ${formatBytes(whole)}, more than ${most}`)
  }
  const pieces: Buffer[] = []
  for await (const piece of readZipEntry(archive, entry)) pieces.push(piece)
  try {
    return parseJson(runtimeManifestSchema, Buffer.concat(pieces).toString('utf8'))
  } catch (cause) {
    const reason = messageOf(cause).replace(/\s+/g, ' ').slice(0, 200)
    throw new PackageError('no-package', `its ${MANIFEST_FILE} is none: ${reason}`, {}, { cause })
  }
}

/** Executable, as libraries are wherever a system installs them. */
async function writeFileOf(archive: FileHandle, packed: Packed, target: string): Promise<void> {
  const file = await open(target, 'wx', packed.path.includes('.so') ? 0o755 : 0o644)
  try {
    await unpack(archive, packed, async (piece) => {
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten
    })
    await file.sync()
  } finally {
    await file.close()
  }
}

async function unpack(
  archive: FileHandle,
  { path, digest, entry }: Packed,
  write: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of readZipEntry(archive, entry)) {
    hash.update(piece)
    await write(piece)
  }
  if (hash.digest('hex') === digest) return
  throw new PackageError('damaged-package', `${path} does not have the digest its manifest names`)
}
