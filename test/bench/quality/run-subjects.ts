import { cpus } from 'node:os'
import { tableText as table } from '../../../planner/cli/print/layout.ts'
import { installedRuntimes } from '../../../shared/runtime/index.ts'
import { markdownTable } from './markdown.ts'
import type { QualitySubject, QualityTable } from './subject.ts'

export interface Asked {
  /** All where none is named. */
  readonly names: readonly string[]
  readonly markdown: boolean
  /** After processor, Node and runtimes in the first line. */
  readonly heading: string
}

/** Prints a table for each question and ends the process: with 1 where a promise is broken, 2 for an unknown name. */
export async function runSubjects(
  subjects: readonly QualitySubject[],
  { names, markdown, heading }: Asked,
): Promise<never> {
  const unknown = names.filter((asked) => !subjects.some(({ name }) => name === asked))
  if (unknown.length > 0) {
    const known = subjects.map(({ name }) => name).join(', ')
    console.error(`no subject "${unknown.join('", "')}": there are ${known}`)
    process.exit(2)
  }
  const runtimes = (await installedRuntimes()).map(({ name, version }) => `${name} ${version}`)
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${runtimes.join(', ')}; ${heading}`,
  )
  let broken = 0
  for (const subject of subjects) {
    if (names.length > 0 && !names.includes(subject.name)) continue
    const reason = subject.unavailable?.()
    if (reason !== undefined) console.log(`\n${subject.name} skipped: ${reason}`)
    for (const result of reason === undefined ? await subject.run() : []) {
      console.log(printed(result, markdown))
      broken += result.rows.filter(({ promise }) => promise?.kept === false).length
    }
  }
  if (broken > 0) console.error(`\n${broken} promise(s) broken`)
  process.exit(broken > 0 ? 1 : 0)
}

function printed({ title, columns, rows, notes }: QualityTable, markdown: boolean): string {
  const head = [...columns, 'PROMISE', '']
  const cells = rows.map((row) => [
    ...row.cells,
    row.promise?.text ?? '',
    row.promise === undefined ? '' : row.promise.kept ? 'kept' : 'BROKEN',
  ])
  const drawn = markdown ? markdownTable(head, cells) : table(head, cells)
  return [`\n${title}\n\n${drawn}`, ...notes].join('\n\n')
}
