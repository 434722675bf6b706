import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { writeSamples } from '../../../agent/cli/samples-command.ts'
import { CapturedSamples, capturedFolder, readCaptured } from '../../../agent/observe/captured.ts'
import { SampleUploads } from '../../../agent/observe/uploads.ts'
import { Window } from '../../../agent/observe/window.ts'
import { readArrays } from '../../../shared/dataset/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { parseBlockFrame, type ReportOf } from '../../../shared/messages/index.ts'
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
    t.notOk(arrays.has('device'))
    await t.rejects(writeSamples(stateDir, 'other', output), {
      message: /nothing was kept of other.*--capture/,
    })
    await t.rejects(writeSamples(stateDir, '../x', output), { message: /no name/ })
  },
)

t.test('what the planner has makes room first', async (t) => {
  const stateDir = stateDirOf(t)
  const captured = new CapturedSamples(stateDir, 1_000, clock(), log)
  for (let i = 0; i < 4; i += 1) captured.keep('motor', VARIANT, sample(i), 'outside')
  await captured.settled()
  const before = await captured.unsent('motor')
  t.equal(before.length, 4)
  const [first, second, third] = before
  if (!first || !second || !third) throw new Error('four samples')
  t.equal(digestOf((await captured.read('motor', first.digest, 0, 4096)) ?? ''), first.digest)
  t.equal((await captured.read('motor', first.digest, 10, 5))?.length, 5)
  t.equal(await captured.read('motor', digestOf('none'), 0, 10), undefined)
  await captured.markSent([second.digest, third.digest, digestOf('none')])
  t.equal(await captured.read('motor', third.digest, 0, 10), undefined, 'nobody needs it again')
  t.equal((await readCaptured(stateDir, 'motor')).length, 4, 'for people here they stay')
  for (let i = 4; i < 6; i += 1) captured.keep('motor', VARIANT, sample(i), 'outside')
  await captured.settled()
  const after = (await captured.unsent('motor')).map(({ digest }) => digest)
  t.equal(after.length, 4)
  t.equal(after[0], first.digest, 'older, and not sent')
})

t.test('samples are told of, a few at a time, and sent as they are asked for', async (t) => {
  const stateDir = stateDirOf(t)
  const time = clock()
  const captured = new CapturedSamples(stateDir, 1_000_000, time, log)
  for (let i = 0; i < 70; i += 1) captured.keep('motor', VARIANT, sample(i), 'outside')
  await captured.settled()
  const told: ReportOf<'captured'>[] = []
  const frames: Buffer[] = []
  let isBusy = false
  const uploadsOf = (from: CapturedSamples | undefined) =>
    new SampleUploads({
      ...{ captured: from, everyMs: 3_600_000, clock: time, log, isBusy: () => isBusy },
      tell: (report) => void told.push(report),
      send: async (frame) => frames.push(frame) > 0,
    })
  const uploads = uploadsOf(captured)
  uploads.connected()
  while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 2))
  t.equal(told[0]?.samples.length, 64)
  const [one] = told[0]?.samples ?? []
  if (!one) throw new Error('a sample')
  const order = { v: 1, id: 'c', kind: 'collect', model: 'motor', from: 0, blocks: 8 } as const
  isBusy = true
  uploads.collect({ ...order, sample: one.digest })
  await uploads.close()
  t.equal(frames.length, 0, 'not while a model is measured')
  isBusy = false
  uploads.collect({ ...order, sample: one.digest })
  await uploads.close()
  t.equal(frames.length, 1)
  t.equal(digestOf(parseBlockFrame(frames[0] ?? Buffer.alloc(0))?.bytes ?? ''), one.digest)
  await uploads.collected({ v: 1, id: 'd', kind: 'collected', samples: [one.digest] })
  t.equal(told.at(-1)?.samples.length, 1, 'the next one takes its place')
  uploads.collect({ ...order, sample: one.digest })
  await uploads.close()
  t.same(told.at(-1)?.gone, [one.digest])

  const local = uploadsOf(undefined)
  local.connected()
  local.collect({ ...order, sample: told[0]?.samples[1]?.digest ?? '' })
  await local.close()
  t.equal(frames.length, 1, 'where samples stay here nobody gets one')
  t.same(told.at(-1)?.gone, [told[0]?.samples[1]?.digest])
})

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
