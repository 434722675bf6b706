import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import type { Digest } from '../../shared/digest.ts'
import { BackupError } from './errors.ts'

/** POSIX.1-2017 pax, "ustar Interchange Format": what `tar -xf` reads everywhere. Regular files only. */
const BLOCK = 512
/** Eleven octal digits. */
const MOST_BYTES = 8 ** 11 - 1
const PIECE = 1024 * 1024

/** Bytes of a member: of a file, or in memory. */
export type TarSource = { readonly file: string; readonly bytes: number } | Buffer

/**
 * Member by member; memory does not grow with their bytes. The caller closes the file.
 * @param sums name of a last member that holds the digests of the others, as `sha256sum -c` reads them
 */
export async function writeTar(
  to: FileHandle,
  members: AsyncIterable<readonly [string, TarSource]> | Iterable<readonly [string, TarSource]>,
  sums?: string,
): Promise<void> {
  const digests = new Map<string, Digest>()
  for await (const [name, source] of members) {
    digests.set(name, await writeMember(to, name, source))
  }
  if (sums !== undefined) await writeMember(to, sums, Buffer.from(printSums(digests)))
  await to.write(Buffer.alloc(2 * BLOCK))
}

async function writeMember(to: FileHandle, name: string, source: TarSource): Promise<Digest> {
  const bytes = Buffer.isBuffer(source) ? source.length : source.bytes
  const hash = createHash('sha256')
  let written = 0
  await to.write(headerOf(name, bytes))
  for await (const piece of Buffer.isBuffer(source) ? [source] : piecesOf(source)) {
    hash.update(piece)
    await to.write(piece)
    written += piece.length
  }
  if (written !== bytes)
    throw new BackupError('changed', `${name} became shorter while it was read`)
  await to.write(Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK))
  return hash.digest('hex')
}

function piecesOf({ file, bytes }: Exclude<TarSource, Buffer>): AsyncIterable<Buffer> | [] {
  if (bytes === 0) return []
  return createReadStream(file, { end: bytes - 1, highWaterMark: PIECE })
}

function printSums(digests: ReadonlyMap<string, Digest>): string {
  return [...digests].map(([name, digest]) => `${digest}  ${name}\n`).join('')
}

/** What `writeTar` wrote of digests, by name. */
export function parseSums(text: string): ReadonlyMap<string, Digest> {
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
}

function headerOf(name: string, bytes: number): Buffer {
  if (Buffer.byteLength(name) > 100 || bytes > MOST_BYTES) {
    throw new BackupError(
      'changed',
      `${name} does not go into a backup: its name or it is too long`,
    )
  }
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0)
  header.write('0000600\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\0', 257)
  header.write('00', 263)
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function checksum(header: Buffer): number {
  let sum = 0
  for (const byte of header) sum += byte
  return sum
}

export interface TarMember {
  readonly name: string
  readonly bytes: number
  /** Where its bytes begin. */
  readonly at: number
}

/** @throws BackupError `damaged` where it is none, or cut short */
export async function* listTar(file: FileHandle): AsyncGenerator<TarMember> {
  const { size } = await file.stat()
  for (let at = 0; ; ) {
    const header = await readAt(file, at, BLOCK)
    if (header.every((byte) => byte === 0)) return
    const said = Number.parseInt(header.toString('latin1', 148, 156), 8)
    header.write('        ', 148)
    const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '')
    const bytes = Number.parseInt(header.toString('latin1', 124, 136), 8)
    const isWhole = said === checksum(header) && bytes >= 0 && at + BLOCK + bytes <= size
    if (!isWhole) throw new BackupError('damaged', 'it is no backup of Fitment, or cut short')
    yield { name, bytes, at: at + BLOCK }
    at += BLOCK + Math.ceil(bytes / BLOCK) * BLOCK
  }
}

/** Into a folder of its own, and nowhere else. @returns the digest of what it holds @throws BackupError */
export async function extract(
  file: FileHandle,
  member: TarMember,
  folder: string,
): Promise<Digest> {
  const path = normalize(member.name)
  if (isAbsolute(path) || path.startsWith('..')) {
    throw new BackupError('damaged', `it names a file outside: ${member.name}`)
  }
  const target = join(folder, path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const out = await open(target, 'wx', 0o600)
  const hash = createHash('sha256')
  try {
    for (let done = 0; done < member.bytes; done += PIECE) {
      const length = Math.min(PIECE, member.bytes - done)
      const piece = await readAt(file, member.at + done, length)
      hash.update(piece)
      await out.write(piece)
    }
    await out.sync()
    return hash.digest('hex')
  } finally {
    await out.close()
  }
}

export async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, at)
  if (bytesRead === length) return buffer
  throw new BackupError('damaged', 'it is no backup of Fitment, or cut short')
}
