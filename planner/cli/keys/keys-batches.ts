import { basename } from 'node:path'
import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { nameSchema } from '../../../shared/ids.ts'
import { shellWord } from '../../../shared/started-as.ts'
import { type BatchView, connectPlanner } from '../../api/index.ts'
import { KEY_ROLES, parseBatchSignatures, signsByMachine } from '../../trust/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, listInput } from '../program/fleet-options.ts'
import { readText } from '../program/read-text.ts'
import { writeWhole } from '../program/write-whole.ts'

export const keysPendingCommand = defineCommand({
  path: 'keys pending',
  summary:
    'Shows what waits for signatures, or writes it to a file to carry to where the keys lie.',
  arguments: [{ name: 'batch', description: 'which, by its id; absent: all', optional: true }],
  options: [
    dataOption,
    { flags: '-o, --out <file>', description: 'write the only one, or the one named, there' },
  ],
  example: 'fitment keys pending --out release.json',
  watched: true,
  input: z.object({ ...dataInput, batch: z.string().optional(), out: z.string().optional() }),
  run: async ({ data, batch: wanted, out }, io) => {
    const planner = connectPlanner(data)
    const all = await planner.call('keys.pending', {})
    const shown = all.filter(({ batch }) => wanted === undefined || batch === wanted)
    if (out !== undefined) {
      const batch = onlyOne(shown, wanted)
      const text = await planner.call('keys.batch', { batch })
      await writeWhole(out, `${JSON.stringify(text)}\n`)
    }
    io.result(out === undefined ? shown : { batch: shown[0]?.batch, out }, () =>
      shown.length === 0
        ? 'nothing waits for signatures'
        : [...shown.map(forPeople), ...nextStep(out)].join('\n'),
    )
    return 0
  },
})

export const keysSubmitCommand = defineCommand({
  path: 'keys submit',
  summary: 'Hands in signatures; what is complete with them becomes true at once.',
  arguments: [{ name: 'file', description: 'what fitment keys sign wrote' }],
  options: [dataOption],
  example: 'fitment keys submit signatures.json',
  input: z.object({ ...dataInput, file: z.string() }),
  run: async ({ data, file }, io) => {
    const signatures = parseBatchSignatures(await readText(file, 'signatures'))
    const view = await connectPlanner(data).call('keys.submit', { signatures })
    io.result(view, () => told(view))
    return view.state === 'published' ? 0 : 1
  },
})

export const keysDropCommand = defineCommand({
  path: 'keys drop',
  summary:
    'Gives up what waits for signatures; a release is drafted anew as long as a rollout needs it.',
  arguments: [{ name: 'batch', description: 'its id' }],
  options: [dataOption],
  example: 'fitment keys drop 0192f3…',
  input: z.object({ ...dataInput, batch: z.string() }),
  run: async ({ data, batch }, io) => {
    const done = await connectPlanner(data).call('keys.drop', { batch })
    io.result(done, () => `${batch} is dropped`)
    return 0
  },
})

export const keysRotateCommand = defineCommand({
  path: 'keys rotate',
  summary: 'Changes who signs: adds and removes keys, or says how many of them must sign.',
  arguments: [{ name: 'holder', description: KEY_ROLES.join(', ') }],
  options: [
    dataOption,
    { flags: '--add <files>', description: 'public parts of keys made with fitment keys make' },
    { flags: '--remove <names>', description: 'keys that shall sign no more, by name' },
    { flags: '--threshold <n>', description: 'signatures that are needed from now on' },
  ],
  example: 'fitment keys rotate release --add ann.pub,bob.pub --remove release --threshold 2',
  input: z.object({
    ...dataInput,
    holder: z.enum(KEY_ROLES),
    add: listInput,
    remove: listInput.pipe(z.array(nameSchema)),
    threshold: wholeNumber({ least: 1 }).optional(),
  }),
  run: async ({ data, holder, add: files, remove, threshold = null }, io) => {
    if (!signsByMachine(holder) && files.length + remove.length === 0 && threshold === null) {
      throw new UsageError(
        `--add, --remove or --threshold must be given: who shall sign as ${holder}?`,
      )
    }
    const add = await Promise.all(
      files.map(async (file) => ({
        name: nameSchema.parse(basename(file, '.pub')),
        publicKey: (await readText(file, 'public key')).trim(),
      })),
    )
    const input = { holder, add, remove, threshold }
    const views = await connectPlanner(data).call('keys.rotate', input)
    io.result(views, () => views.map(told).join('\n'))
    return views.every(({ state }) => state === 'published') ? 0 : 1
  },
})

function told(view: BatchView): string {
  return view.state === 'published'
    ? `done: ${view.what}`
    : [forPeople(view), ...nextStep(undefined)].join('\n')
}

function forPeople({ batch, what, lines }: BatchView): string {
  return [`${batch}  ${what}`, ...lines.map((line) => `  ${line}`)].join('\n')
}

function nextStep(out: string | undefined): string[] {
  return out === undefined
    ? ['', 'write it to a file with: fitment keys pending --out FILE']
    : [
        '',
        'where the keys lie:',
        `  fitment keys sign ${shellWord(out)} --keys DIR --out signatures.json`,
        'and here:',
        '  fitment keys submit signatures.json',
      ]
}

function onlyOne(shown: readonly BatchView[], wanted: string | undefined): string {
  const [first, ...more] = shown
  if (first && more.length === 0) return first.batch
  if (first) throw new UsageError('several batches wait: name one of them by its id')
  throw new UsageError(
    wanted ? `no batch ${wanted} waits for signatures` : 'nothing waits for signatures',
  )
}
