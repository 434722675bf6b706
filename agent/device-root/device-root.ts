import { constants } from 'node:fs'
import { access, open, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** More than the longest /proc/cpuinfo known; a larger file is cut here. */
const MOST_BYTES = 4 * 1024 * 1024
/** No folder that the readers list has more entries on a sane system. */
const MOST_ENTRIES = 4096

/**
 * The file system that tells what the device is: `/`, or a captured tree with the same layout.
 * No method throws: what is absent, unreadable or not a regular file reads as `null` or empty.
 */
export interface DeviceRoot {
  readonly path: string
  /** True for the running system; false for a captured tree. */
  readonly live: boolean
  /** The whole file, trimmed of blanks and NULs; null when absent or empty. */
  text(path: string): Promise<string | null>
  /** A device-tree string list: NUL separated. */
  strings(path: string): Promise<readonly string[]>
  exists(path: string): Promise<boolean>
  /** Existing paths for a pattern whose segments may hold `*`, in alphabetical order. */
  glob(pattern: string): Promise<readonly string[]>
}

export function deviceRoot(folder: string): DeviceRoot {
  const path = resolve(folder)
  const inside = (relative: string) => join(path, relative)
  return {
    path,
    live: path === '/',
    text: async (file) => blankToNull(trimmed((await bytesOf(inside(file))).toString('utf8'))),
    strings: async (file) => {
      const parts = (await bytesOf(inside(file))).toString('utf8').split('\0')
      return parts.map((part) => part.trim()).filter((part) => part !== '')
    },
    exists: (file) => accessible(inside(file)),
    glob: (pattern) => expand(path, pattern.split('/').filter(Boolean)),
  }
}

function trimmed(text: string): string {
  return text.replaceAll('\0', ' ').trim()
}

function blankToNull(text: string): string | null {
  return text === '' ? null : text
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    // O_NONBLOCK: a named pipe in place of a file must not hang the agent.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      if (!(await handle.stat()).isFile()) return Buffer.alloc(0)
      return await firstBytes((buffer) => handle.read(buffer, 0, buffer.length, null))
    } finally {
      await handle.close()
    }
  } catch {
    return Buffer.alloc(0)
  }
}

type ReadInto = (buffer: Buffer) => Promise<{ bytesRead: number }>

/** Files of /proc and /sys say a size of 0, so read until nothing comes. */
async function firstBytes(readInto: ReadInto): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  while (total < MOST_BYTES) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, MOST_BYTES - total))
    const { bytesRead } = await readInto(chunk)
    if (bytesRead === 0) break
    chunks.push(chunk.subarray(0, bytesRead))
    total += bytesRead
  }
  return Buffer.concat(chunks)
}

async function accessible(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

async function expand(root: string, segments: readonly string[]): Promise<readonly string[]> {
  let found = ['']
  for (const segment of segments) {
    const next: string[] = []
    for (const folder of found) {
      const names = segment.includes('*') ? await namesLike(join(root, folder), segment) : [segment]
      next.push(...names.map((name) => `${folder}/${name}`))
    }
    found = next.slice(0, MOST_ENTRIES)
  }
  const existing = await Promise.all(found.map((path) => accessible(join(root, path))))
  return found.filter((_, index) => existing[index])
}

async function namesLike(folder: string, pattern: string): Promise<readonly string[]> {
  const like = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`)
  try {
    return (await readdir(folder)).filter((name) => like.test(name)).sort()
  } catch {
    return []
  }
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
