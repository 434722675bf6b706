/**
 * `npm run bench:quality [-- name …] [--markdown]`: how far quantized models are from their float sources, ours
 * beside those of other quantizers, and whether the promises hold. Exit code 1 where one is broken.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { table } from '../../../planner/cli/io.ts'
import { installedRuntimes } from '../../../shared/runtime/index.ts'
import { markdownTable } from './markdown.ts'
import { peerVersions } from './peers/python.ts'
import type { QualityTable } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { markdown: { type: 'boolean', default: false } },
})

const unknown = positionals.filter((asked) => !SUBJECTS.some(({ name }) => name === asked))
if (unknown.length > 0) {
  const names = SUBJECTS.map(({ name }) => name).join(', ')
  console.error(`no subject "${unknown.join('", "')}": there are ${names}`)
  process.exit(2)
}

const runtimes = (await installedRuntimes()).map(({ name, version }) => `${name} ${version}`)
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${runtimes.join(', ')}; ` +
    `peers: ${await peerVersions()}`,
)

let broken = 0
for (const subject of SUBJECTS) {
  if (positionals.length > 0 && !positionals.includes(subject.name)) continue
  const reason = subject.unavailable?.()
  if (reason === undefined) for (const result of await subject.run()) print(result)
  else console.log(`\n${subject.name} skipped: ${reason}`)
}
if (broken > 0) console.error(`\n${broken} promise(s) broken`)
process.exit(broken > 0 ? 1 : 0)

function print({ title, columns, rows, notes }: QualityTable): void {
  broken += rows.filter(({ promise }) => promise?.kept === false).length
  const head = [...columns, 'PROMISE', '']
  const cells = rows.map((row) => [
    ...row.cells,
    row.promise?.text ?? '',
    row.promise === undefined ? '' : row.promise.kept ? 'kept' : 'BROKEN',
  ])
  const drawn = values.markdown ? markdownTable(head, cells) : table(head, cells)
  console.log(`\n${title}\n\n${drawn}`)
  for (const note of notes) console.log(`\n${note}`)
}
