import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../program/write-whole.ts'

/** What a broker is given, each file whole; its key belongs to nobody else. @throws UsageError */
export async function writeExport<K extends string>(
  dir: string,
  names: Readonly<Record<NoInfer<K>, string>>,
  texts: Readonly<Record<K, string>>,
): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const [file, text] of Object.entries(texts) as [K, string][]) {
    const path = join(dir, names[file])
    const mode = file === 'key' ? 0o600 : 0o644
    await writeWhole(path, text, mode)
    // The broker runs as another user, whatever the operator's umask is.
    await chmod(path, mode)
  }
}
