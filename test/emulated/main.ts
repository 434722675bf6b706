/**
 * `npm run emulated [-- name …] [--markdown]`: our files and our agent on processors that this machine has not, as
 * QEMU emulates them. Answers only: emulated time means nothing. Exit code 1 where a promise is broken.
 */
import { parseArgs } from 'node:util'
import { runSubjects } from '../bench/quality/run-subjects.ts'
import { arm64 } from './arm64.ts'
import { x86Models, x86Products } from './x86.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { markdown: { type: 'boolean', default: false } },
})
await runSubjects([x86Models, x86Products, arm64], {
  names: positionals,
  markdown: values.markdown,
  heading: 'every other processor below is emulated by QEMU',
})
