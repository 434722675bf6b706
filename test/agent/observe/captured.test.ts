import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { writeSamples } from '../../../agent/cli/samples-command.ts'
import { CapturedSamples, capturedFolder, readCaptured } from '../../../agent/observe/captured.ts'
import { Window } from '../../../agent/observe/window.ts'
import { readArrays } from '../../../shared/dataset/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { parseReferenceSketch } from '../../../shared/sketch/index.ts'
import { stateDirOf } from '../device.ts'
import { log } from '../quiet-log.ts'
import { sketchOfDense } from './sketch-of-dense.ts'

const VARIANT = digestOf('a variant')

/** Each look is a minute later. */
function clock() {
  let ms = Date.UTC(2026, 10, 29)
  return { monotonic: () => (ms += 60_000), now: () => new Date(ms) }
}

function sample(x: number) {
  return { inputs: { x: [x, x, x] }, outputs: { scores: [0.5, 0.5] } }
}

t.test('what stands out: unsure answers, and numbers far from the reference', async (t) => {
  const sketch = sketchOfDense()
  const reference = { digest: digestOf(sketch), sketch: parseReferenceSketch(sketch.toString()) }
  const window = new Window(VARIANT, reference, new Date())
  const of = (x: number[], scores: number[]) =>
    window.strangeness({ inputs: { x }, outputs: { scores } })
  t.equal(of([0, 0, 0.5], [0.9, 0.1]), null)
  t.equal(of([0, 0, 0.5], [0.49, 0.48]), 'low-confidence')
  t.equal(of([50, 0, 0.5], [0.9, 0.1]), 'outside')
})

t.test(
  'samples are kept under their quota, the oldest make room, and come out as .npz',
  async (t) => {
    const stateDir = stateDirOf(t)
    const quota = 2_000
    const captured = new CapturedSamples(stateDir, quota, clock(), log)
    for (let i = 0; i < 40; i += 1) captured.keep('motor', VARIANT, sample(i), 'outside')
    captured.keep('motor', VARIANT, { outputs: { scores: [1, 0] } }, 'outside')
    await captured.settled()
    const folder = join(capturedFolder(stateDir), 'motor')
    const held = readdirSync(folder).reduce(
      (sum, name) => sum + statSync(join(folder, name)).size,
      0,
    )
    t.ok(held <= quota && held > quota / 2, `${held} bytes`)
    const samples = await readCaptured(stateDir, 'motor')
    t.same(samples.at(-1)?.inputs, { x: [39, 39, 39] })
    writeFileSync(join(folder, '0-torn.json'), '{"at":')
    const again = new CapturedSamples(stateDir, quota, clock(), log)
    again.keep('motor', VARIANT, sample(100), 'low-confidence')
    await again.settled()
    const output = join(stateDir, 'strange.npz')
    const told = await writeSamples(stateDir, 'motor', output)
    const arrays = await readArrays(output)
    t.same(arrays.get('x')?.shape, [told.samples, 3])
    t.same(arrays.get('outputs')?.shape, [told.samples, 2])
    t.equal(arrays.get('time')?.type, 'int64')
    await t.rejects(writeSamples(stateDir, 'other', output), {
      message: /nothing was kept of other.*--capture/,
    })
    await t.rejects(writeSamples(stateDir, '../x', output), { message: /no name/ })
  },
)

t.test('a disk that takes nothing stops nobody, and is said once', async (t) => {
  const stateDir = stateDirOf(t)
  // Root writes where it may not: a file in the place of the folder refuses everybody.
  writeFileSync(capturedFolder(stateDir), 'no folder')
  const said: string[] = []
  const loud = { ...log, warn: (...words: unknown[]) => void said.push(String(words.at(-1))) }
  const captured = new CapturedSamples(stateDir, 10_000, clock(), loud as typeof log)
  for (let i = 0; i < 3; i += 1) captured.keep('motor', VARIANT, sample(i), 'outside')
  await captured.settled()
  t.match(said, [/samples are not kept/])
  t.equal(said.length, 1)
})
