import { type FileHandle, open, realpath } from 'node:fs/promises'
import { digestOfFile } from '../../digest.ts'
import { RuntimeError } from '../errors.ts'
import type { LibraryFacts } from '../runtime.ts'

/** `e_machine` of an ELF header (System V ABI), as Node names architectures. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}
const MAGIC = '\x7fELF'
/** Up to and with `e_machine`. */
const HEADER_BYTES = 20

/** The architecture that a shared library is for; undefined where the bytes are none. */
export function architectureOf(header: Uint8Array): string | undefined {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength)
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC) return undefined
  const machine = bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18)
  return MACHINES[machine] ?? `machine ${machine}`
}

/**
 * The library behind the path, links followed. Read before it is mapped: what the loader says of a wrong file is no
 * help to anybody. @throws RuntimeError `library-unusable`
 */
export async function libraryFacts(path: string): Promise<LibraryFacts> {
  const architecture = architectureOf(await headerOf(path))
  if (architecture === undefined)
    throw unusable(path, 'is no shared library: name a file like libtensorflowlite_c.so')
  if (architecture !== process.arch)
    throw unusable(
      path,
      `is a library for ${architecture}, and this process runs on ${process.arch}: name one for ${process.arch}`,
    )
  return { path: await realpath(path), digest: await digestOfFile(path) }
}

async function headerOf(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw unusable(path, code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`)
  } finally {
    await file?.close()
  }
}

function unusable(path: string, what: string): RuntimeError {
  return new RuntimeError('library-unusable', `${path} ${what}`, { path })
}
