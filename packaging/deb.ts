import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A tar of some folders of `root`, everything root's. */
export async function tarOf(root: string, folders: readonly string[], to: string): Promise<void> {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name']
  await run('tar', [...owner, '-C', root, '-czf', to, ...folders])
}

/** deb(5): an ar archive of a version, the control files and the files; `root` holds the former below `DEBIAN`. */
export async function debOf(root: string, folders: readonly string[], to: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'fitment-deb-'))
  try {
    const [control, data] = [join(work, 'control.tar.gz'), join(work, 'data.tar.gz')]
    await tarOf(join(root, 'DEBIAN'), ['.'], control)
    await tarOf(
      root,
      folders.map((folder) => `./${folder}`),
      data,
    )
    const members = [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', await readFile(control)],
      ['data.tar.gz', await readFile(data)],
    ] as const
    await writeFile(to, Buffer.concat([Buffer.from('!<arch>\n'), ...members.flatMap(arMember)]))
  } finally {
    await rm(work, { recursive: true })
  }
}

/** ar(5): name, time, owner, group, mode, size; even lengths. */
function arMember([name, bytes]: readonly [string, Buffer]): Buffer[] {
  const header = [
    name.padEnd(16),
    '0'.padEnd(12),
    '0'.padEnd(6),
    '0'.padEnd(6),
    '100644'.padEnd(8),
    `${bytes.length}`.padEnd(10),
    '`\n',
  ].join('')
  return [Buffer.from(header), bytes, Buffer.alloc(bytes.length % 2, '\n')]
}
