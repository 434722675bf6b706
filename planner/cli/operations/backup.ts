import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { formatBytes } from '../../../shared/units.ts'
import { type BackupMade, backup, restore } from '../../backup/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { readText } from '../program/read-text.ts'
import { refuseToReplace } from '../program/write-whole.ts'

const passphraseOption = {
  flags: '--passphrase-file <file>',
  description: 'seals the private keys, which go to FILE.keys (or FITMENT_PASSPHRASE)',
}
const passphraseInput = { passphraseFile: z.string().optional() }

export const backupCommand = defineCommand({
  path: 'backup',
  summary:
    'Writes all of a planner’s data into one file, while it runs; its keys apart and sealed.',
  arguments: [{ name: 'file', description: 'where it goes; the keys go to FILE.keys' }],
  options: [
    dataOption,
    passphraseOption,
    { flags: '--without-keys', description: 'leave the keys out: they are kept elsewhere' },
  ],
  example: 'fitment backup /media/stick/plant-7.tar --passphrase-file pass.txt',
  input: z.object({
    ...dataInput,
    ...passphraseInput,
    file: z.string().min(1),
    withoutKeys: z.boolean().default(false),
  }),
  run: async ({ data, file, passphraseFile, withoutKeys }, io) => {
    const passphrase = withoutKeys ? undefined : await passphraseOf(passphraseFile)
    await refuseToReplace(file, [])
    const made = await backup({ data, file, passphrase, now: new Date() })
    io.result(made, () =>
      [
        `${made.file}: ${formatBytes(made.bytes)}, ${artifactsIn(made)}`,
        made.keys === null
          ? 'without the keys: no device believes a planner that lacks them'
          : `${made.keys}: the keys, sealed; keep them, and the passphrase, in another place`,
      ].join('\n'),
    )
    return 0
  },
})

export const restoreCommand = defineCommand({
  path: 'restore',
  summary: 'Makes a data directory from a backup and its FILE.keys.',
  arguments: [{ name: 'file', description: 'what fitment backup wrote' }],
  options: [dataOption, passphraseOption],
  example:
    'fitment restore /media/stick/plant-7.tar --data /var/lib/fitment --passphrase-file pass.txt',
  input: z.object({ ...dataInput, ...passphraseInput, file: z.string().min(1) }),
  run: async ({ data, file, passphraseFile }, io) => {
    const passphrase = await passphraseOf(passphraseFile)
    const manifest = await restore({ file, data, passphrase, now: new Date() })
    io.result({ data, ...manifest }, () =>
      [
        `${data}: as of ${manifest.madeAt}, written by ${manifest.version}`,
        ...(manifest.database === 'embedded'
          ? []
          : ['its database was elsewhere: bring that back with its own tools']),
        ...(manifest.artifacts === undefined
          ? []
          : [
              `its artifacts lie in ${manifest.artifacts}: start with --artifacts ${manifest.artifacts}`,
            ]),
        `stop the planner that ran before, for good; then: fitment serve --data ${shellWord(data)}`,
      ].join('\n'),
    )
    return 0
  },
})

function artifactsIn({ artifacts, elsewhere }: BackupMade): string {
  return elsewhere === null
    ? `${artifacts} artifacts`
    : `without the artifacts, which lie in ${elsewhere}: let that bucket keep versions`
}

async function passphraseOf(file: string | undefined): Promise<string> {
  const given =
    file === undefined
      ? process.env.FITMENT_PASSPHRASE
      : (await readText(file, 'passphrase')).replace(/\r?\n$/, '')
  if (given) return given
  throw new UsageError(
    '--passphrase-file must be given: it seals the keys (backup --without-keys leaves them out)',
  )
}
