import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { listZip, readZipEntry, type ZipEntry } from '../../shared/archive/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { MAX_UNPACKED_BYTES } from '../../shared/runtime-package/index.ts'
import { formatBytes } from '../../shared/units.ts'
import { RuntimeFileError } from './errors.ts'
import { type Plugin, WHEELS, type WheelLayout } from './layouts.ts'

/** What of a wheel travels. */
export interface WheelContents {
  readonly layout: WheelLayout
  readonly version: string
  readonly library: string
  readonly licenses: readonly string[]
  readonly files: ReadonlyMap<string, Buffer>
}

const METADATA = /^([A-Za-z0-9_.]+)-([^-/]+)\.dist-info\/METADATA$/
const LICENSE = /(?:^|\/)(?:licen[cs]es?\/.+|(?:licen[cs]e|notice|copying|third[-_]party)[^/]*)$/i
/** Source code may be called so, too. */
const NO_TEXT = /\.(?:py|pyc|so|h|js)(?:$|\.)/
const MOST_LICENSE_BYTES = 4 * 2 ** 20

/** @throws RuntimeFileError */
export async function readWheel(path: string, plugins: readonly Plugin[]): Promise<WheelContents> {
  const name = basename(path)
  const archive = await open(path)
  try {
    return await contentsOf(name, archive, await listZip(archive), plugins)
  } catch (cause) {
    if (cause instanceof RuntimeFileError) throw cause
    const message = `${name} is damaged: ${messageOf(cause)}; download it again`
    throw new RuntimeFileError('damaged', message, {}, { cause })
  } finally {
    await archive.close()
  }
}

async function contentsOf(
  name: string,
  archive: FileHandle,
  entries: readonly ZipEntry[],
  plugins: readonly Plugin[],
): Promise<WheelContents> {
  const escaping = entries.find((entry) => leadsOut(entry.name))
  if (escaping) {
    const message = `${name} names a file outside itself (${escaping.name}): no tool makes such a wheel`
    throw new RuntimeFileError('hostile-archive', message)
  }
  const { layout, version, record } = identify(name, entries)
  const wanted = [layout.library, ...layout.alongside(plugins)]
  const code = wanted.map((pattern) => entryOf(name, entries, pattern))
  const licenses = entries.filter(({ name: path, size }) => isLicense(path, record) && size > 0)
  const chosen = [...code, ...licenses]
  requireSize(name, chosen)
  const files = new Map<string, Buffer>()
  for (const entry of chosen) files.set(entry.name, await bytesOf(archive, entry))
  return {
    layout,
    version,
    library: code[0]?.name ?? '',
    licenses: licenses.map((entry) => entry.name),
    files,
  }
}

function leadsOut(path: string): boolean {
  return /^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:$|[/\\])/.test(path)
}

function identify(name: string, entries: readonly ZipEntry[]) {
  for (const entry of entries) {
    const [, distribution = '', version = ''] = METADATA.exec(entry.name) ?? []
    const layout = WHEELS.find(({ wheel }) => wheel === distribution.toLowerCase())
    if (layout) return { layout, version, record: entry.name.replace(/METADATA$/, '') }
    if (distribution === '') continue
    throw new RuntimeFileError(
      'no-runtime',
      `${name} is a wheel of ${distribution}, in which no runtime is known: give one of ${KNOWN}`,
    )
  }
  throw new RuntimeFileError(
    'no-runtime',
    `${name} is an archive, but no wheel: give a wheel of ${KNOWN}, or a .so`,
  )
}

const KNOWN = WHEELS.map(({ wheel }) => wheel.replaceAll('_', '-')).join(' or ')

function entryOf(name: string, entries: readonly ZipEntry[], pattern: RegExp): ZipEntry {
  const [entry, ...more] = entries.filter((each) => pattern.test(each.name))
  if (entry && more.length === 0) return entry
  const what = entry ? 'has twice' : 'lacks'
  const message = `${name} ${what} the library ${readable(pattern)}: is it a wheel for Linux?`
  throw new RuntimeFileError('no-runtime', message)
}

function readable({ source }: RegExp): string {
  return source.replace(/\(\?:\\\.\\d\+\)\*|[\^$\\]/g, '')
}

/** Of the wheel itself, and of what it has built in. */
function isLicense(path: string, record: string): boolean {
  return LICENSE.test(path) && !NO_TEXT.test(path.startsWith(record) ? '' : path)
}

function requireSize(name: string, chosen: readonly ZipEntry[]): void {
  const sum = chosen.reduce((bytes, { size }) => bytes + size, 0)
  const text = chosen.find(
    ({ name: path, size }) => LICENSE.test(path) && size > MOST_LICENSE_BYTES,
  )
  if (sum <= MAX_UNPACKED_BYTES && !text) return
  const what = text ? `${text.name} has ${formatBytes(text.size)}` : `it has ${formatBytes(sum)}`
  const most = formatBytes(text ? MOST_LICENSE_BYTES : MAX_UNPACKED_BYTES)
  throw new RuntimeFileError('too-large', `${name}: ${what} unpacked, more than ${most}`)
}

async function bytesOf(archive: FileHandle, entry: ZipEntry): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of readZipEntry(archive, entry)) pieces.push(piece)
  return Buffer.concat(pieces)
}
