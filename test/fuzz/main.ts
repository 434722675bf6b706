/** `npm run fuzz [-- --frames N --files N --seed N --only NAME,NAME]`: bytes of strangers end in a value or in one clear refusal. */
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { tableText as table } from '../../planner/cli/print/layout.ts'
import { formatBytes } from '../../shared/units.ts'
import { damage } from './damage.ts'
import { fieldFiles } from './field-files.ts'
import { fuzzFrames } from './frames.ts'
import { subjects } from './subjects.ts'

const count = z.coerce.number().int().nonnegative()
const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { frames: text, files: text, seed: text, only: text },
})
const settings = z
  .object({ frames: count.default(1_000_000), files: count.default(10_000), seed: count })
  .parse({ ...values, seed: values.seed ?? Math.floor(Math.random() * 2 ** 31) })

const { frames, files, seed } = settings
console.log(`seed ${seed}, Node ${process.version}`)
const rows: string[][] = []
const broken: string[] = []

const all = files === 0 ? [] : [...subjects(files), ...(await fieldFiles(files))]
const wanted = values.only?.split(',')
for (const subject of all.filter(({ name }) => wanted?.includes(name) ?? true)) {
  const started = performance.now()
  const found = await damage(subject, seed)
  broken.push(...found.broken)
  const outcomes = Object.entries(found.outcomes).sort(([, a], [, b]) => b - a)
  rows.push([
    subject.name,
    `${subject.rounds} from ${subject.files.length} files`,
    outcomes.map(([outcome, times]) => `${outcome.slice(0, 40)} ${times}`).join(', '),
    `${((performance.now() - started) / 1000).toFixed(0)} s`,
  ])
  console.log(`${subject.name} done`)
}
if (frames > 0) {
  const started = performance.now()
  const found = await fuzzFrames(frames, seed)
  broken.push(...found.broken)
  rows.push([
    'MQTT frames to the broker',
    `${found.frames} on ${found.connections} connections`,
    `resident ${formatBytes(found.warmBytes)} after a fifth, ${formatBytes(found.endBytes)} at the end`,
    `${((performance.now() - started) / 1000).toFixed(0)} s`,
  ])
}
console.log(`\n${table(['WHAT', 'HOW MANY', 'CAME OF IT', 'TIME'], rows)}`)
for (const line of broken.slice(0, 20)) console.log(`BROKEN: ${line}`)
process.exit(broken.length > 0 ? 1 : 0)
