import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { nameSchema } from '../../../shared/ids.ts'
import { printTrustedKey } from '../../../shared/signatures/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { connectPlanner } from '../../api/index.ts'
import { batchKeyIds, describeBatch, KeyRing, parseBatch, signBatch } from '../../trust/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { readText } from '../program/read-text.ts'
import { writeWhole } from '../program/write-whole.ts'

/** What is done on the machine where keys lie, with no planner at hand; and how a key gets there. */

const passphraseOption = {
  flags: '--passphrase-file <file>',
  description: 'seals the private part (or FITMENT_PASSPHRASE); absent: it lies there unsealed',
}
const ringOption = (what: string) => ({ flags: '--keys <dir>', description: what })
const passphraseInput = { passphraseFile: z.string().optional() }
const nameArgument = { name: 'name', description: 'name of the key' }

export const keysMakeCommand = defineCommand({
  path: 'keys make',
  summary: 'Makes a key in a folder; needs no planner.',
  arguments: [nameArgument],
  options: [ringOption('folder for it'), passphraseOption],
  example: 'fitment keys make ann --keys /media/stick --passphrase-file pass.txt',
  input: z.object({
    name: nameSchema,
    keys: z.string('give a folder with --keys'),
    ...passphraseInput,
  }),
  run: async ({ name, keys, passphraseFile }, io) => {
    const key = await new KeyRing(keys).generate(name, await passphrase(passphraseFile))
    const publicKey = printTrustedKey(key.trusted)
    io.result({ name, publicKey, dir: keys }, () =>
      [
        `${join(keys, `${name}.key`)} stays with you; to have it believed, at the planner:`,
        `  fitment keys rotate release --add ${shellWord(join(keys, `${name}.pub`))}`,
      ].join('\n'),
    )
    return 0
  },
})

export const keysExportCommand = defineCommand({
  path: 'keys export',
  summary: 'Moves a private key from the planner into a folder, e.g. on a stick to lock away.',
  arguments: [nameArgument],
  options: [dataOption, ringOption('folder it moves to'), passphraseOption],
  example: 'fitment keys export release --keys /media/stick --passphrase-file pass.txt',
  input: z.object({
    ...dataInput,
    name: nameSchema,
    keys: z.string('give a folder with --keys'),
    ...passphraseInput,
  }),
  run: async ({ data, name, keys, passphraseFile }, io) => {
    const planner = connectPlanner(data)
    await planner.call('keys.list', {})
    const secret = await passphrase(passphraseFile)
    const key = await new KeyRing(join(data, 'trust', 'keys')).open(name, secret)
    const away = new KeyRing(keys)
    await away.store(name, key, secret)
    // Only what can be read back there leaves here.
    await away.open(name, secret)
    await planner.call('keys.forget', { name })
    io.result({ name, dir: keys }, () =>
      [
        `${name} moved to ${join(keys, `${name}.key`)}: this machine cannot sign with it any more`,
        'what it must sign waits: see fitment keys pending',
      ].join('\n'),
    )
    return 0
  },
})

export const keysSignCommand = defineCommand({
  path: 'keys sign',
  summary: 'Signs what fitment keys pending wrote, with the keys of a folder; needs no planner.',
  arguments: [{ name: 'file', description: 'what shall be signed' }],
  options: [
    ringOption('folder of the keys'),
    passphraseOption,
    { flags: '-o, --out <file>', description: 'where the signatures go' },
  ],
  example: 'fitment keys sign release.json --keys /media/stick --out signatures.json',
  input: z.object({
    file: z.string(),
    keys: z.string('give the folder of the keys with --keys'),
    out: z.string('say with --out where the signatures go'),
    ...passphraseInput,
  }),
  run: async ({ file, keys, out, passphraseFile }, io) => {
    const batch = parseBatch(await readText(file, 'request'))
    const secret = await passphrase(passphraseFile)
    const opened = await new KeyRing(keys).openThose(batchKeyIds(batch), async (name) => {
      if (secret !== undefined) return secret
      throw new UsageError(`key ${name} is sealed: give its passphrase with --passphrase-file`)
    })
    if (opened.length === 0) {
      throw new UsageError(`none of the keys in ${keys} is asked for: ${batch.what}`)
    }
    const signatures = signBatch(batch, opened)
    await writeWhole(out, `${JSON.stringify(signatures)}\n`)
    io.result({ batch: batch.id, keys: opened.length, out }, () =>
      [
        `signed with ${opened.length} key(s):`,
        ...describeBatch(batch).map((line) => `  ${line}`),
        '',
        `at the planner: fitment keys submit ${shellWord(out)}`,
      ].join('\n'),
    )
    return 0
  },
})

async function passphrase(file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return (await readText(file, 'passphrase')).replace(/\r?\n$/, '')
  return process.env.FITMENT_PASSPHRASE
}
