import { join } from 'node:path'
import t from 'tap'
import { readMetric } from '../../../shared/metrics/read-metric.ts'

const ANSWER = {
  outputs: [{ name: 'out', shape: [1, 2], values: Float32Array.of(3, 4) }],
  truth: new Map([['', { shape: [1], values: Int32Array.of(1) }]]),
  reference: new Map([['out', Float32Array.of(1, 1)]]),
}

async function measured(dir: string, source: string, options = '') {
  const path = join(t.testdir({ [dir]: { 'score.mjs': source } }), dir, 'score.mjs')
  const metric = await readMetric(`${path}${options}`)
  const meter = metric.start({ inputs: [] })
  try {
    await meter.add(ANSWER)
    await meter.add(ANSWER)
    return { metric, score: await meter.score() }
  } finally {
    await meter.close?.()
  }
}

t.test('a function of a sample: the mean', async (t) => {
  const { metric, score } = await measured(
    'mean',
    `export const direction = 'lower'
     export const unit = 'share'
     export function score({ outputs, labels, reference }) {
       if (labels.y.values[0] !== 1 || reference.out[0] !== 1) throw new Error('not what it should be')
       return outputs.out.values[1] / outputs.out.shape[1]
     }`,
  )
  t.match(metric, { direction: 'lower', unit: 'share', labels: null })
  t.equal(score.value, 2)
})

t.test('one that gathers by itself, and waits', async (t) => {
  const { score } = await measured(
    'gathers',
    `export const direction = 'higher'
     export function create() {
       let samples = 0
       return { async add() { samples += 1 }, async score() { return 10 * samples } }
     }`,
  )
  t.equal(score.value, 20)
})

const FAULTS: readonly (readonly [name: string, source: string, code: string, message: RegExp])[] =
  [
    [
      'throws',
      `export const direction = 'higher'; export function score() { throw new Error('no\\nluck') }`,
      'script-failed',
      /score\.mjs failed: no luck/,
    ],
    [
      'nan',
      `export const direction = 'higher'; export function score() { return 0 / 0 }`,
      'script-failed',
      /gave NaN for sample 0/,
    ],
    [
      'nan-in-the-end',
      `export const direction = 'higher'; export function create() { return { add() {}, score: () => undefined } }`,
      'script-failed',
      /gave undefined/,
    ],
    [
      'hangs',
      `export const direction = 'higher'; export function score() { for (;;); }`,
      'script-timeout',
      /in 0\.5 s.*seconds=3/,
    ],
    [
      'never-answers',
      `export const direction = 'higher'; export const score = () => new Promise(() => {})`,
      'script-timeout',
      /0\.5 s/,
    ],
    ['hangs-at-once', `for (;;);`, 'script-timeout', /0\.5 s/],
    [
      'leaves',
      `export const direction = 'higher'; export function score() { process.exit(0) }`,
      'script-failed',
      /ended its thread/,
    ],
    ['no-direction', `export function score() { return 1 }`, 'script-failed', /direction/],
    [
      'no-function',
      `export const direction = 'higher'`,
      'script-failed',
      /score\(sample\), or create/,
    ],
    [
      'odd-create',
      `export const direction = 'higher'; export const create = () => 1`,
      'script-failed',
      /add\(sample\)/,
    ],
    ['no-script', `export const direction = `, 'script-failed', /failed: /],
    [
      'throws-later',
      `export const direction = 'higher'; export function score() { setTimeout(() => { throw new Error('late') }, 1); return new Promise(() => {}) }`,
      'script-failed',
      /late/,
    ],
  ]

for (const [name, source, code, message] of FAULTS) {
  t.test(`a script that ${name}`, async (t) => {
    // What throws does so long before its time is over, on a busy machine too.
    const seconds = code === 'script-timeout' ? 0.5 : 30
    await t.rejects(measured(name, source, `,seconds=${seconds}`), { code, message })
  })
}

t.test('a file that is not there, and a limit that is none', async (t) => {
  await t.rejects(readMetric('./no-such-file.mjs'), {
    code: 'script-failed',
    message: /there is no metric file/,
  })
  await t.rejects(readMetric('./no-such-file.mjs,seconds=never'), { code: 'bad-parameter' })
})
