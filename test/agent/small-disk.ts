import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export const WITHOUT_SMALL_DISK = 'skipped: needs the right to mount a small file system'

/** A directory on a file system of its own with so much room; `undefined` where that may not be mounted. */
export function smallDisk(t: Test, bytes: number): string | undefined {
  const mountPoint = mkdtempSync(join(tmpdir(), 'fit-disk-'))
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', mountPoint]
    execFileSync('mount', options, { stdio: 'ignore' })
  } catch {
    rmSync(mountPoint, { recursive: true })
    return undefined
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', mountPoint])
    rmSync(mountPoint, { recursive: true })
  })
  const directory = join(mountPoint, 'state')
  mkdirSync(directory)
  return directory
}

/** Another program's file takes all there is. */
export function fillUp(path: string): void {
  for (const step of [64 * 1024, 4096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(step), { flag: 'a' })
    } catch {}
  }
}
