import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeZip } from '../../shared/archive/index.ts'
import { digestOf } from '../../shared/digest.ts'
import type { RuntimeManifest } from '../../shared/runtime-package/index.ts'

export interface PackageDraft {
  /** Bytes of the library; what they are is not looked at here. */
  readonly library: Buffer
  readonly version?: string
  readonly architecture?: string
  /** What the manifest says otherwise than it is. */
  readonly lies?: Partial<RuntimeManifest>
}

/** A package as a planner stores it. */
export async function packageOf({
  library,
  version = '1.0',
  architecture = process.arch,
  lies = {},
}: PackageDraft): Promise<Buffer> {
  const files = [
    ['lib/libtensorflowlite_c.so', library],
    ['licenses/LICENSE', Buffer.from('Apache License')],
  ] as const
  const manifest: RuntimeManifest = {
    v: 1,
    runtime: 'tflite',
    version,
    architecture,
    libc: null,
    library: files[0][0],
    licenses: [files[1][0]],
    files: files.map(([path, bytes]) => ({ path, bytes: bytes.length, digest: digestOf(bytes) })),
    source: 'libtensorflowlite_c.so',
    ...lies,
  }
  return await writeZip([['runtime.json', Buffer.from(JSON.stringify(manifest))], ...files])
}

/** Calls `use` with the path of a file with these bytes. */
export async function asFile<T>(bytes: Buffer, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fit-'))
  try {
    writeFileSync(join(folder, 'file'), bytes)
    return await use(join(folder, 'file'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
