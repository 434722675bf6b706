import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import type { TAP } from 'tap'

/** TAP that says no more than that all is well. */
const WELL = /^\s*(TAP version|# Subtest|\d+\.\.\d+|ok \d+(?!.* # SKIP)|$)/

/** Prints what else there is to say: failures, skips with their reasons, comments. */
export function printUnlessWell(root: TAP): void {
  const lines = createInterface(root.pipe(new PassThrough()))
  lines.on('line', (line) => {
    if (!WELL.test(line)) console.log(line)
  })
}
