import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { withWeights } from './changed-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/** What becomes of revisions: bad ones refused, forced, rolled out all the same, and taken back without a build. */
t.setTimeout(900_000)

/** How long a command took, and how busy this machine is. */
async function timed<T>(t: Test, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const done = await work()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  t.comment(`${what}: ${seconds} s, load ${loadavg()[0]?.toFixed(1)}`)
  return done
}

t.test('a revision is refused, forced, rolled out, and taken back', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const here = ['--data', data]
  const planner = connectPlanner(data)
  const running = new Running(t)
  const address = await running.serve(data, '--port', '0', '--probe-ms', '200')
  running.agent('press', join(dir, 'press'), address, ['--threads', '1', '--runtimes', 'litert'])
  const files = {
    calibration: join(dir, 'c.npz'),
    test: join(dir, 't.npz'),
    nan: join(dir, 'nan.tflite'),
    destroyed: join(dir, 'destroyed.tflite'),
    nudged: join(dir, 'nudged.tflite'),
  }
  writeFileSync(files.calibration, await fewSamples('calibration', 16))
  writeFileSync(files.test, await fewSamples('test', 60))
  writeFileSync(
    files.nan,
    withWeights(() => Number.NaN),
  )
  writeFileSync(
    files.destroyed,
    withWeights((_, at) => Math.sin(7.1 * at)),
  )
  writeFileSync(
    files.nudged,
    withWeights((weight) => weight * 1.0001),
  )
  // So small a limit leaves few candidates to build and measure.
  const limits = ['--max-accuracy-drop', '5', '--max-bytes', '70KB', ...here]
  const samples = ['--calibration', files.calibration, '--test', files.test]
  const add = (model: string, ...more: string[]) =>
    fitment('models', 'add', 'motor', '--model', model, ...samples, ...limits, ...more)
  const told = () => {
    const file = join(dir, 'press', 'slots', 'motor', 'current', 'model.json')
    return installedModelSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  }
  const classOf = async () => (await planner.call('devices.list', {}))[0]?.class ?? ''
  await until('a device', async () =>
    (await planner.call('devices.list', {})).some(({ online }) => online) ? true : undefined,
  )

  t.match(await add(SMALL_MODEL, '--labels', files.test), {
    code: 2,
    err: /for folders of images or WAV files.*--class-names/,
  })
  t.match(await add(files.nan), { code: 1, err: /gate-refused.*NaN or infinity/ })
  t.match(await fitment('models', 'list', ...here), { out: /no model is registered/ })
  t.match(await add(SMALL_MODEL), {
    code: 0,
    err: /all samples of the test data are of class 0/,
  })
  const first = await fitment('rollout', 'start', 'motor', '--accept-noise', '--wait', ...here)
  t.equal(first.code, 0, first.out + first.err)
  t.equal(told().revision, 1)

  t.match(await add(files.destroyed), {
    code: 1,
    err: /gate-refused.*accuracy goes from .* of revision 1, which is in use, to .*: more than 2\.0 pt worse.*--force/,
  })
  t.match(await add(files.destroyed, '--force', 'to see what happens'), {
    code: 0,
    out: /revision 2/,
    err: /accuracy goes from/,
  })
  const audit = await planner.call('audit.list', { limit: 1, subject: 'motor' })
  t.match(audit, [{ action: 'models.add', detail: { forced: { reason: 'to see what happens' } } }])
  t.equal((await add(files.nudged, '--max-regression', '3')).code, 0)
  const third = await fitment('rollout', 'start', 'motor', '--accept-noise', '--wait', ...here)
  t.equal(third.code, 0, third.out + third.err)
  t.equal(told().revision, 3)

  const before = await planner.call('variants.list', {})
  const back = () => fitment('rollback', 'motor', '--wait', ...here)
  t.match(await timed(t, 'a command that does nothing', () => fitment('models', 'list', ...here)), {
    code: 0,
  })
  t.match(await timed(t, 'rollback', back), {
    code: 0,
    out: /CLASS +REVISION/,
  })
  t.equal(told().revision, 1, 'what was rolled out before, not what was only registered')
  const rows = await planner.call('models.history', { model: 'motor' })
  t.match(rows, [
    { revision: 3, inUse: false, devices: 0 },
    { revision: 2, inUse: false, devices: 0, variants: 0 },
    { revision: 1, inUse: true, devices: 1, by: /^cli:/ },
  ])
  t.ok((rows[0]?.variants ?? 0) > 0)
  t.match(await fitment('models', 'history', 'motor', ...here), {
    code: 0,
    out: /REVISION +IN USE/,
  })
  t.match(await fitment('models', 'show', 'motor', '--revision', '2', ...here), {
    err: /accuracy goes from/,
  })
  t.match(await fitment('models', 'show', 'motor', '--revision', '9', ...here), {
    code: 1,
    err: /motor has no revision 9; there are: 3, 2, 1/,
  })
  t.same(await planner.call('variants.list', {}), before, 'nothing was built or measured')
  const forward = () => fitment('rollback', 'motor', '--to', '3', '--wait', ...here)
  t.match(await timed(t, 'rollback --to 3', forward), { code: 0 })
  t.equal(told().revision, 3)
  const again = ['--revision', '1', '--waves', '100%', '--wait']
  const start = () => fitment('rollout', 'start', 'motor', ...again, ...here)
  t.match(await timed(t, 'rollout start --revision 1', start), { code: 0 })
  t.equal(told().revision, 1)
  t.same(await planner.call('variants.list', {}), before, 'and nothing was built for it')
  for (const [what, shown] of [
    ['plan', /revision \d/],
    ['variants', /MODEL +REV +CLASS/],
    ['probes', /MODEL +REV +CLASS/],
    ['classes', /MODEL +REV +STAGE/],
  ] as const) {
    const of = what === 'classes' ? await classOf() : 'motor'
    const dry = what === 'plan' ? ['--dry-run'] : []
    t.match(await fitment(what, of, ...dry, ...here), { out: shown }, what)
  }
  await running.stop()
})
