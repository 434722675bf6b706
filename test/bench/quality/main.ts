/**
 * `npm run bench:quality [-- name …] [--markdown]`: how far quantized models are from their float sources, ours
 * beside those of other quantizers, and whether the promises hold. Exit code 1 where one is broken.
 */
import { parseArgs } from 'node:util'
import { peerVersions } from './peers/python.ts'
import { runSubjects } from './run-subjects.ts'
import { SUBJECTS } from './subjects.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { markdown: { type: 'boolean', default: false } },
})
await runSubjects(SUBJECTS, {
  names: positionals,
  markdown: values.markdown,
  heading: `peers: ${await peerVersions()}`,
})
