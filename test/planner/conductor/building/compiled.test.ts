import { join } from 'node:path'
import t, { type Test } from 'tap'
import { printPlans } from '../../../../planner/cli/models/print-plan.ts'
import { layOut } from '../../../../planner/cli/print/layout.ts'
import { buildVariant, evaluateVariant } from '../../../../planner/conductor/building/builds.ts'
import { compilersFor, keyOf } from '../../../../planner/conductor/building/keys.ts'
import { type Model, variants } from '../../../../planner/storage/index.ts'
import type { TargetName } from '../../../../planner/targets/index.ts'
import { digestOf } from '../../../../shared/digest.ts'
import { lacks, nativePath } from '../../../native/runtimes.ts'
import { edgetpuStandIn } from '../../compilers/stand-in.ts'
import { type Planner, planner } from '../scripted-fleet.ts'
import { register } from '../small-model.ts'

// Real builds, each in a process of its own, on a machine that may be busy.
t.setTimeout(300_000)

/** What became of the target's candidate, as the pipeline would have it built. */
async function built(p: Planner, model: Model, runtime: TargetName) {
  const { context } = p.conductor
  const candidate = { scheme: 'static-w8a8-io8', runtime }
  const key = keyOf(model, candidate, await compilersFor(context, [runtime]))
  await variants.ensureVariant(context.db, { key, source: model.source, ...candidate })
  await buildVariant(context, model, key)
  const variant = await variants.findVariant(context.db, key)
  if (!variant) throw new Error('no variant')
  return variant
}

function compilerIs(t: Test, variable: string, path: string): void {
  const before = process.env[variable]
  process.env[variable] = path
  t.teardown(() => {
    if (before === undefined) delete process.env[variable]
    else process.env[variable] = before
  })
}

t.test('files of one scheme are built once for every target that shares them', async (t) => {
  const p = await planner(t)
  const { context } = p.conductor
  const model = await register(p)
  const vx = await built(p, model, 'vx')
  t.equal(vx.state, 'built', vx.error ?? '')
  const litert = await built(p, model, 'litert')
  t.equal(litert.digest, vx.digest)
  t.ok((litert.buildMs ?? 0) > 0, 'was built')
  const again = await built(p, model, 'external')
  t.equal(again.digest, vx.digest)
  t.ok((again.buildMs ?? 0) < (litert.buildMs ?? 0) / 2, 'taken over')

  t.test('a compiled file is made of it, and answered for by it', async (t) => {
    compilerIs(t, 'FITMENT_EDGETPU_COMPILER', edgetpuStandIn(t.testdir()))
    const edgetpu = await built(p, model, 'edgetpu')
    t.equal(edgetpu.state, 'built', edgetpu.error ?? '')
    t.not(edgetpu.digest, vx.digest)
    const compiled = edgetpu.findings.find(({ code }) => code === 'compiled')
    t.match(
      compiled?.message,
      /edgetpu_compiler 16.* 14 of 15 operators on the accelerator, SOFTMAX/,
    )
    t.equal(compiled?.severity, 'warning')
    await evaluateVariant(context, model, edgetpu.key)
    await evaluateVariant(context, model, vx.key)
    const { whole } = model.reference
    const theirs = await variants.findEvaluation(context.db, edgetpu.key, whole)
    const uncompiled = await variants.findEvaluation(context.db, vx.key, whole)
    t.ok((theirs?.whole.samples ?? 0) > 0)
    t.same(theirs?.whole.agreement, uncompiled?.whole.agreement)
  })

  t.test('a compiler that is gone by then', async (t) => {
    compilerIs(t, 'FITMENT_EDGETPU_COMPILER', join(t.testdir(), 'gone'))
    const { missing } = await context.findCompilers()
    t.match(missing.edgetpu_compiler, /apt install edgetpu-compiler/)
    const { state, error } = await built(p, model, 'edgetpu')
    t.equal(state, 'failed')
    t.match(error, /cannot be executed; apt install edgetpu-compiler/)
  })

  t.test('by Vela itself', { skip: lacks('vela') }, async (t) => {
    compilerIs(t, 'FITMENT_VELA', nativePath('vela'))
    const ethos = await built(p, model, 'ethos-u65-256')
    t.equal(ethos.state, 'built', ethos.error ?? '')
    t.match(
      ethos.findings.find(({ code }) => code === 'compiled'),
      {
        severity: 'info',
        message: /^vela 5\.2\.0: (\d+) of \1 operators on the accelerator, .* of SRAM/,
      },
    )
    const bytes = await context.artifacts.read(ethos.digest ?? '')
    t.equal(digestOf(bytes), ethos.digest)
    t.ok(bytes.includes('ethos-u'))
  })
})

t.test('the plan says what the compiler said', async (t) => {
  const row = {
    scheme: 'static-w8a8-io8',
    runtime: 'ethos-u65-256',
    verdict: 'kept',
    reason: 'integers throughout',
    state: 'built',
    digest: null,
    bytes: 85_872,
    host: null,
    measured: null,
    findings: [
      { code: 'compiled', severity: 'info', message: 'vela 5.2.0: 43 of 43 operators' },
      { code: 'other', severity: 'info', message: 'of no concern here' },
    ],
  } as const
  const plan = {
    class: 'imx93',
    revision: 1,
    stage: 'probing',
    waiting: '',
    stuck: false,
    round: 1,
  }
  const choice = { winner: null, bestSoFar: null, why: '' }
  const plans = printPlans([
    { ...plan, ...choice, candidates: [{ ...row, findings: [...row.findings], losses: [] }] },
  ])
  const printed = layOut(plans, undefined).text
  t.match(printed, /integers throughout; vela 5\.2\.0: 43 of 43 operators$/m)
})
