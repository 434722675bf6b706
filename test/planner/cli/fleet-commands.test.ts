import t from 'tap'
import { commandsFor } from '../../../planner/cli/commands.ts'
import { type Model, selections, variants } from '../../../planner/storage/index.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { type Planner, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'
import { fitment } from './run-fitment.ts'
import { running } from './running-planner.ts'

/** A selection with figures, as devices of the class would have given them. */
async function withFigures(planner: Planner, model: Model): Promise<void> {
  const { db, now } = planner.conductor.context
  const rows = [
    { scheme: 'static-w8a8', kept: true, variant: 'small-a', reason: 'a quarter of the file' },
    { scheme: 'float16', kept: true, variant: 'large-a', reason: 'half the file' },
    { scheme: 'dynamic-w8', kept: false, variant: null, reason: 'no kernels' },
    { scheme: 'weight-w4-b32', kept: false, variant: null, reason: 'no kernels' },
  ]
  await variants.replaceCandidates(
    db,
    model.id,
    'raspberry-pi-4',
    rows.map((row) => ({ ...row, runtime: 'litert' as const })),
  )
  const figures = (key: string, scheme: string, p50Ms: number) => ({
    key,
    scheme,
    runtime: 'litert' as const,
    bytes: 100_000,
    latency: {
      p50Ms,
      ci95: [p50Ms, p50Ms] as [number, number],
      ratio: { p50: p50Ms / 10, ci95: [0, 1] as [number, number] },
    },
    memoryBytes: 50e6,
    quality: { basis: 'labels' as const, drop: 0.004, accuracy: 0.91, agreement: 0.98, sqnrDb: 25 },
    devices: 1,
    notes: [],
  })
  await selections.addSelection(
    db,
    {
      model: model.id,
      class: 'raspberry-pi-4',
      round: 1,
      measured: [figures('small-a', 'static-w8a8', 5), figures('large-a', 'float16', 9)],
      selection: {
        winner: 'small-a',
        bestSoFar: 'small-a',
        ranking: ['small-a', 'large-a'],
        rows: [
          { key: 'small-a', verdict: 'chosen', reason: 'best latency' },
          { key: 'large-a', verdict: 'kept', reason: 'slower' },
        ],
        why: 'static-w8a8 on litert: best latency',
      },
    },
    now(),
  )
}

t.test('no planner: one line, exit code 1', async (t) => {
  const data = t.testdir({})
  const { code, err, out } = await fitment('devices', '--data', data)
  t.equal(code, 1)
  t.equal(out, '')
  t.equal(
    err,
    `error [no-planner]: no planner runs on ${data}: start one with fitment serve --data ${data}\n`,
  )
})

t.test('tables for people, the same values for machines', async (t) => {
  const { data, planner } = await running(t)
  t.match(await fitment('devices', '--data', data), { code: 0, out: 'no device has joined yet\n' })
  t.match(await fitment('models', 'list', '--data', data), { out: 'no model is registered yet\n' })
  const device = await new ScriptedDevice('press-1', planner).join()
  const model = await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  await withFigures(planner, model)
  await settle(planner)

  const rows: [string[], RegExp, number?][] = [
    [['devices'], /press-1 +online +raspberry-pi-4 +Raspberry Pi 4 .*\(emulated\) +litert/],
    [['devices', 'press-1'], /because +its device tree says raspberrypi,4-model-b/],
    [['classes'], /raspberry-pi-4 +Raspberry Pi 4 .* 1 \(1 online\) +litert/],
    [['classes', 'raspberry-pi-4'], /press-1 +online +its device tree says/],
    [['models', 'list'], /motor +1 +390.6 KiB +latency +−1.0 pt +95.0 % +raspberry-pi-4: rolling/],
    [
      ['models', 'show', 'motor'],
      /chosen +static-w8a8 +litert +97.7 KiB +5 ms +0.50× +47.7 MiB +91.0 % +0.4 pt +best latency/,
    ],
    [['models', 'show', 'motor'], /dropped +dynamic-w8, weight-w4-b32 +litert .*no kernels/],
    [['variants', 'motor'], /motor +1 +raspberry-pi-4 +static-w8a8 +litert +built +97.7 KiB/],
    [['probes'], /no device was asked to measure yet/],
    [
      ['plan', 'motor', '--dry-run'],
      /raspberry-pi-4, revision 1 \[dry-run\]: 4 candidates, 11 dropped; nothing was built or sent/,
    ],
    [
      ['rollout', 'status', 'motor'],
      /raspberry-pi-4 +1 +running +1 of 1,100% +static-w8a8 on litert +97.7 KiB +0 +0 +0/,
    ],
    [['rollout', 'pause', 'motor'], /raspberry-pi-4 +1 +paused/],
    [['rollout', 'status', 'motor'], /paused/, 1],
    [['rollout', 'resume', 'motor', '--retry'], /raspberry-pi-4 +1 +running/],
    [
      ['audit', 'motor', '--limit', '2'],
      /cli:\w+ +rollout.resume +motor +class=raspberry-pi-4 from=paused to=running/,
    ],
  ]
  for (const [argv, out, code = 0] of rows) {
    const told = await fitment(...argv, '--data', data)
    t.match(told.out, out, argv.join(' '))
    t.equal(told.code, code, told.err)
    const isChange = argv.includes('pause') || argv.includes('resume')
    if (isChange) continue
    const json = await fitment(...argv, '--data', data, '--json')
    t.equal(typeof JSON.parse(json.out), 'object')
  }
  await device.leave()
  t.match(await fitment('devices', '--data', data), { out: /press-1 +offline/ })
})

t.test('wrong command lines: exit code 2, and what is wrong', async (t) => {
  const { data } = await running(t)
  const rows: [string[], RegExp][] = [
    [['models', 'add', 'motor'], /--model: give the model with --model FILE/],
    [['models', 'add', '../motor', '--model', 'm.tflite'], /name: /],
    [
      ['models', 'add', 'motor', '--model', 'absent.tflite'],
      /cannot read absent.tflite: there is no such file/,
    ],
    [
      ['models', 'add', 'motor', '--model', 'm', '--max-bytes', 'huge'],
      /--max-bytes: "huge" is no size/,
    ],
    [['models', 'add', 'motor', '--model', 'm', '--objective', 'beauty'], /--objective: /],
    [
      ['models', 'add', 'motor', '--model', 'm', '--max-accuracy-drop', '-1'],
      /--max-accuracy-drop: /,
    ],
    [['rollout', 'start', 'motor', '--waves', '1,10%'], /do not end with 100%/],
    [
      ['rollout', 'start', 'motor', '--abort-above', '120%'],
      /--abort-above: "120%" is no percentage/,
    ],
    [['serve', '--port', '70000'], /--port: /],
    [['serve', '--fleet', 'a/b'], /--fleet: /],
    [['planner'], /give the broker with --broker/],
    [['audit', '--limit', '0'], /--limit: /],
  ]
  for (const [argv, err] of rows) {
    const told = await fitment(...argv, '--data', data)
    t.equal(told.code, 2, argv.join(' '))
    t.match(told.err, err)
    t.equal(told.out, '')
  }
})

t.test('what the planner refuses: exit code 1, and its own words', async (t) => {
  const { data, planner } = await running(t)
  t.match(await fitment('plan', 'ghost', '--data', data), {
    code: 1,
    err: /error \[unknown-model\]: no model "ghost" is registered/,
  })
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  t.match(await fitment('rollout', 'approve', 'motor', '--data', data), {
    code: 1,
    err: /error \[nothing-to-do\]/,
  })
})

t.test('every command of the fleet has an example and says where the planner is', async (t) => {
  const fleet = (await commandsFor([])).filter(({ options }) =>
    options.some(({ flags }) => flags.startsWith('--data <dir>')),
  )
  t.ok(fleet.length >= 18)
  for (const { path, example } of fleet) t.ok(example.startsWith(`fitment ${path}`), path)
})
