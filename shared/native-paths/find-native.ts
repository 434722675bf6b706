import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { HardwareReport } from '../messages/index.ts'
import type { RuntimeName } from '../runtime/index.ts'
import type { NativeTable } from './table.ts'

export interface NativeLibrary {
  readonly runtime: RuntimeName
  readonly path: string
}

export interface NativeDelegate {
  readonly name: string
  readonly runtime: RuntimeName
  readonly path: string
  readonly options: Readonly<Record<string, string>>
  /** Options that must be given before it is of any use. */
  readonly asks: readonly string[]
}

/** What may be proposed to the operator of a device: what lies in well-known places. Nothing is loaded. */
export interface NativeFindings {
  readonly libraries: readonly NativeLibrary[]
  readonly delegates: readonly NativeDelegate[]
}

export type NativeBoard = Pick<HardwareReport, 'architecture' | 'accelerators'>

/** @param root of the file system, which tests put elsewhere */
export async function findNative(
  table: NativeTable,
  board: NativeBoard,
  root = '/',
): Promise<NativeFindings> {
  const kinds = new Set<string>(board.accelerators.map(({ kind }) => kind))
  const here = ({ architectures }: { readonly architectures?: readonly string[] | undefined }) =>
    architectures?.includes(board.architecture) ?? true
  const libraries = table.libraries.filter(here).map(async ({ runtime, paths }) => {
    const found = await filesOf(paths, board, root)
    return found.map((path) => ({ runtime, path }))
  })
  const delegates = table.delegates
    .filter((row) => here(row) && row.accelerators.some((kind) => kinds.has(kind)))
    .map(async ({ name, runtime, paths, options, asks = [] }) => {
      // One of each: a second copy is the same delegate elsewhere.
      const [path] = await filesOf(paths, board, root)
      return path === undefined ? [] : [{ name, runtime, path, options, asks }]
    })
  return {
    libraries: (await Promise.all(libraries)).flat(),
    delegates: (await Promise.all(delegates)).flat(),
  }
}

/** Debian's folder of libraries of an architecture. */
const TRIPLETS: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  ia32: 'i386-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  riscv64: 'riscv64-linux-gnu',
}

/** Of names that lead to one file, the first: `libx.so` and `libx.so.2` are links. */
async function filesOf(
  patterns: readonly string[],
  { architecture }: NativeBoard,
  root: string,
): Promise<readonly string[]> {
  const triplet = TRIPLETS[architecture]
  const found = new Map<string, string>()
  for (const pattern of patterns) {
    if (triplet === undefined && pattern.includes('{triplet}')) continue
    const segments = pattern
      .replaceAll('{triplet}', triplet ?? '')
      .split('/')
      .filter(Boolean)
    for (const path of await matching(root, '', segments)) {
      const real = await realpath(join(root, path)).catch(() => null)
      if (real !== null && !found.has(real)) found.set(real, path)
    }
  }
  return [...found.values()]
}

/** Paths below `root` that fit the segments, in the order of their names. */
async function matching(
  root: string,
  path: string,
  [segment, ...rest]: readonly string[],
): Promise<readonly string[]> {
  if (segment === undefined) return [path]
  const names = segment.includes('*') ? await namesIn(join(root, path), segment) : [segment]
  const below = await Promise.all(names.map((name) => matching(root, `${path}/${name}`, rest)))
  return below.flat()
}

async function namesIn(folder: string, pattern: string): Promise<readonly string[]> {
  const [first = '', ...rest] = pattern.split('*').map((part) => part.replace(/[.+]/g, '\\$&'))
  const fits = new RegExp(`^${[first, ...rest].join('.*')}$`)
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => fits.test(name)).sort()
}
