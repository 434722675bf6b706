/** Prints lines per top-level folder and the largest source files; fails where one is longer than the limit. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const HARD_LIMIT = 400

const files = execFileSync('git', ['ls-files', '*.ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !file.startsWith('test/'))
const lines = new Map(
  files.map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1]),
)

const folders = new Map<string, number>()
for (const [file, count] of lines) {
  const folder = file.split('/').slice(0, 2).join('/')
  folders.set(folder, (folders.get(folder) ?? 0) + count)
}
const sorted = [...lines.values()].sort((a, b) => a - b)
const percentile = (p: number) => sorted[Math.floor((sorted.length - 1) * p)] ?? 0

for (const [folder, count] of [...folders].sort())
  console.log(`${String(count).padStart(7)}  ${folder}`)
console.log(`${files.length} files, median ${percentile(0.5)} lines, p90 ${percentile(0.9)}`)
const tooLong = [...lines].filter(([, count]) => count > HARD_LIMIT)
for (const [file, count] of tooLong)
  console.error(`${file}: ${count} lines, the limit is ${HARD_LIMIT}`)
process.exitCode = tooLong.length === 0 ? 0 : 1
