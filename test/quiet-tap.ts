import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import type { TAP } from 'tap'

/** TAP that says no more than that all is well. */
const WELL = /^\s*(TAP version|# Subtest|\d+\.\.\d+|ok \d+(?!.* # SKIP)|$)/

/** Prints what else there is to say: failures, skips with their reasons, comments; and what is news all the same. */
export function printUnlessWell(root: TAP, isNews = (_line: string) => false): void {
  const lines = createInterface(root.pipe(new PassThrough()))
  lines.on('line', (line) => {
    if (!WELL.test(line) || isNews(line)) console.log(line)
  })
}
