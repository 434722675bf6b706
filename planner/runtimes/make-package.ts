import { open, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { writeZip } from '../../shared/archive/index.ts'
import { digestOf } from '../../shared/digest.ts'
import { messageOf } from '../../shared/errors.ts'
import { compareVersions } from '../../shared/releases.ts'
import type { RuntimeName } from '../../shared/runtime/index.ts'
import {
  MANIFEST_FILE,
  MAX_UNPACKED_BYTES,
  type RuntimeManifest,
  runtimeManifestSchema,
} from '../../shared/runtime-package/index.ts'
import { formatBytes } from '../../shared/units.ts'
import { readSharedLibrary, type SharedLibrary } from './elf.ts'
import { RuntimeFileError } from './errors.ts'
import { type Plugin, runtimeOf } from './layouts.ts'
import { readWheel } from './wheel.ts'

export interface PackageRequest {
  /** A wheel or a shared library. */
  readonly path: string
  /** Of a library that does not tell. */
  readonly version?: string | undefined
  /** Text files that must stay with it, beside those of a wheel. */
  readonly licenses?: readonly string[]
  /** What OpenVINO shall compute on. */
  readonly plugins?: readonly Plugin[]
}

export interface MadePackage {
  readonly manifest: RuntimeManifest
  readonly bytes: Uint8Array
}

/** Files of a package, before they are one. */
interface Draft {
  readonly runtime?: RuntimeName
  readonly version: string
  readonly library: string
  readonly licenses: readonly string[]
  readonly files: ReadonlyMap<string, Buffer>
}

const LIBRARY = /\.so(?:\.\d+)*$/

/** @throws RuntimeFileError that says what the file is instead */
export async function makePackage(request: PackageRequest): Promise<MadePackage> {
  const source = basename(request.path)
  const draft = await withLicenses(await draftOf(request, source), request.licenses ?? [])
  const facts = librariesOf(source, draft)
  const main = facts.get(draft.library)
  const { runtime, missing } = runtimeOf(main?.exports ?? new Set())
  if (!main || !runtime || (draft.runtime && draft.runtime !== runtime)) {
    throw new RuntimeFileError(
      'missing-symbols',
      `${draft.library} of ${source} lacks ${missing.join(', ')}: it is another library, too old, or stripped of its symbols`,
    )
  }
  const manifest = runtimeManifestSchema.safeParse({
    v: 1,
    runtime,
    version: draft.version,
    architecture: main.architecture,
    libc: libcOf([...facts.values()]),
    library: draft.library,
    licenses: draft.licenses,
    files: [...draft.files].map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      digest: digestOf(bytes),
    })),
    source,
  })
  if (!manifest.success) {
    const reason = manifest.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new RuntimeFileError('no-runtime', `${source} cannot be packed: ${reason.join('; ')}`)
  }
  const text = Buffer.from(`${JSON.stringify(manifest.data, null, 2)}\n`)
  return { manifest: manifest.data, bytes: await writeZip([[MANIFEST_FILE, text], ...draft.files]) }
}

async function draftOf(request: PackageRequest, source: string): Promise<Draft> {
  const { path, plugins = ['CPU'] } = request
  const kind = await kindOf(path)
  if (kind === 'wheel') {
    const { layout, ...contents } = await readWheel(path, plugins)
    return { ...contents, runtime: layout.runtime }
  }
  if (kind !== 'library') {
    throw new RuntimeFileError(
      'no-runtime',
      `${source} is neither a wheel nor a shared library for Linux: give e.g. ai_edge_litert-*.whl or libtensorflowlite_c.so`,
    )
  }
  const bytes = await readFile(path)
  const library = `lib/${source}`
  const version = request.version ?? `sha256-${digestOf(bytes).slice(0, 12)}`
  return { version, library, licenses: [], files: new Map([[library, bytes]]) }
}

async function kindOf(path: string): Promise<'wheel' | 'library' | undefined> {
  try {
    const { size } = await stat(path)
    if (size > 2 * MAX_UNPACKED_BYTES) {
      const most = formatBytes(2 * MAX_UNPACKED_BYTES)
      const message = `${basename(path)} has ${formatBytes(size)}, more than ${most}`
      throw new RuntimeFileError('too-large', message)
    }
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0).finally(() => file.close())
    const magic = buffer.toString('latin1')
    return magic === 'PK\x03\x04' ? 'wheel' : magic === '\x7fELF' ? 'library' : undefined
  } catch (cause) {
    if (cause instanceof RuntimeFileError) throw cause
    throw new RuntimeFileError('unreadable', `cannot read ${path}: ${messageOf(cause)}`)
  }
}

async function withLicenses(draft: Draft, paths: readonly string[]): Promise<Draft> {
  const files = new Map(draft.files)
  const licenses = [...draft.licenses]
  for (const path of paths) {
    const name = `licenses/${basename(path)}`
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new RuntimeFileError('unreadable', `cannot read ${path}: ${messageOf(cause)}`)
    })
    if (!files.has(name)) licenses.push(name)
    files.set(name, bytes)
  }
  return { ...draft, files, licenses }
}

/** What every library of it says. @throws RuntimeFileError unless all are for one architecture */
function librariesOf(source: string, { files }: Draft): ReadonlyMap<string, SharedLibrary> {
  const facts = new Map<string, SharedLibrary>()
  for (const [path, bytes] of files) {
    if (!LIBRARY.test(path)) continue
    const library = readSharedLibrary(bytes)
    if (!library) {
      const message = `${path} of ${source} is no shared library for Linux, or it is cut short`
      throw new RuntimeFileError('no-runtime', message)
    }
    facts.set(path, library)
  }
  const architectures = new Set([...facts.values()].map(({ architecture }) => architecture))
  if (architectures.size > 1) {
    const message = `${source} mixes libraries for ${[...architectures].join(' and ')}: no device can use it`
    throw new RuntimeFileError('mixed-architectures', message)
  }
  return facts
}

/** The oldest C library they all run with. */
function libcOf(libraries: readonly SharedLibrary[]): string | null {
  const needed = libraries.flatMap((library) => library.needed)
  if (needed.some((name) => name.startsWith('libc.musl-'))) return 'musl'
  const versions = libraries
    .flatMap((library) => library.versions)
    .flatMap((name) => /^GLIBC_(\d+\.\d+)/.exec(name)?.[1] ?? [])
    .sort(compareVersions)
  const newest = versions.at(-1)
  return newest === undefined ? null : `glibc ${newest}`
}
