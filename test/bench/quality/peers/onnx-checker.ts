import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { askPeer } from './python.ts'

const complaintsSchema = z.array(z.string().nullable())

/** What `onnx.checker` (full) and strict shape inference say against each file; null: nothing. */
export async function checkByOnnx(
  files: readonly Uint8Array[],
): Promise<readonly (string | null)[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-checker-'))
  try {
    const paths = files.map((_, i) => join(folder, `${i}.onnx`))
    for (const [i, bytes] of files.entries()) await writeFile(paths[i] ?? '', bytes)
    return complaintsSchema.parse(await askPeer('onnx_checker_peer.py', paths))
  } finally {
    await rm(folder, { recursive: true })
  }
}
