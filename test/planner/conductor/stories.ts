import { readFile } from 'node:fs/promises'
import { addModel } from '../../../planner/api/models/add-model.ts'
import { plan } from '../../../planner/api/models/plan.ts'
import { startRollouts } from '../../../planner/api/rollouts/rollouts.ts'
import { addPackage, removePackage } from '../../../planner/api/runtimes/runtime-packages.ts'
import { buildVariant } from '../../../planner/conductor/building/builds.ts'
import type { CommitName } from '../../../planner/conductor/context/commit-names.ts'
import { applyRolloutEvent } from '../../../planner/conductor/index.ts'
import { parseConditions } from '../../../planner/health/index.ts'
import type { RolloutOptions } from '../../../planner/rollout/index.ts'
import {
  devices,
  models,
  probes,
  runtimePackages,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import { packageOf } from '../../agent/packages.ts'
import { fewSamples, SMALL_MODEL } from '../variants/small-model.ts'
import { chosenModel, options } from './chosen-model.ts'
import { CLASS, type Stage } from './stage.ts'
import { measuredBy, TWO_SPEEDS } from './two-speeds.ts'

interface Story {
  /** Commits of this story at which it is cut and killed, in the order in which they come. */
  readonly commits: readonly CommitName[]
  /** Does what is still to be done. */
  readonly play: (stage: Stage) => Promise<void>
}

const DAY_MS = 86_400_000
const NOTHING_SEEN = {
  from: '2026-11-23T11:00:00.000Z',
  windowMs: 3_600_000,
  latency: { zeros: 0, first: 0, counts: [] },
  reference: null,
  channels: [],
  refused: {},
  check: null,
}
const AT_ONCE: Partial<RolloutOptions> = { waves: [{ share: 1 }] }

/** Every named commit of the planner stands in one of them. */
export const STORIES = {
  /** From a model’s registration to the end of its rollout; the first probe is never answered. */
  plan: {
    commits: [
      'birth.stored',
      'model.added',
      'plan.asked',
      'candidates.planned',
      'variant.building',
      'variant.built',
      'variant.evaluated',
      'probe.ordered',
      'probe.given-up',
      'report.stored',
      'report.handled',
      'selection.made',
      'rollout.asked',
      'rollout.started',
      'assignment.given',
      'rollout.all-settled',
      'death.stored',
    ],
    async play(stage) {
      const { context, planner } = stage
      const ignores = async ({ kind }: { kind: string }) => {
        const [model] = await models.listModels(context.db)
        const all = await probes.probesOf(context.db, model?.id ?? '')
        if (kind !== 'probe' || all.some(({ state }) => state === 'lost')) return false
        planner.clock.now = new Date(Date.now() + DAY_MS)
        return true
      }
      await stage.join('d1', { says: 'active', ignores })
      const model = (await models.findModel(context.db, 'motor')) ?? (await register(stage))
      if (model?.intent === 'registered') {
        plan({ model: 'motor', dryRun: false, again: false }, stage.call).catch(() => {})
      }
      const chosen = () => selections.currentSelection(context.db, model?.id ?? '', CLASS)
      await stage.until(async () => (await chosen()) !== undefined)
      if ((await models.findModel(context.db, 'motor'))?.intent !== 'rollout') {
        await startRollouts({ model: 'motor', wait: false, ...options }, stage.call)
      }
      await stage.until(async () => (await stage.newest())?.state === 'done')
      await planner.conductor.store.recordDeath('d1', { start: 'run', connection: 1 })
    },
  },

  /** Devices of one class run at two speeds. */
  parts: {
    commits: ['class.split'],
    async play(stage) {
      const { db } = stage.context
      for (const [device] of TWO_SPEEDS) await stage.join(device, { says: 'active' })
      const classes = async () =>
        new Set((await devices.listDevices(db)).map((device) => device.class))
      await stage.until(
        async () => (await classes()).size === 2 && !(await classes()).has(CLASS),
        () => measuredBy(stage.planner, TWO_SPEEDS),
      )
    },
  },

  /** A device that runs `large` is given `small`, and gets `large` back when the operator aborts. */
  abort: {
    commits: ['rollout.abort'],
    async play(stage) {
      const { context } = stage
      await chosen(stage, { ...AT_ONCE, revert: true })
      const large = (await variants.findVariant(context.db, 'large-a'))?.digest ?? ''
      await joinRunning(stage, large)
      await aborted(stage)
      await stage.until(async () => (await stage.stateOf('d1')) === 'reverted')
    },
  },

  /** What it ran before is nothing that the planner knows. */
  released: {
    commits: ['device.released'],
    async play(stage) {
      await chosen(stage, { ...AT_ONCE, revert: true })
      await joinRunning(stage, 'f'.repeat(64))
      await aborted(stage)
      await stage.until(async () => (await stage.stateOf('d1')) === 'released')
    },
  },

  /** The operator pauses, goes on, and opens the second wave. */
  asked: {
    commits: ['rollout.pause', 'rollout.resume', 'rollout.approval-needed', 'rollout.approve'],
    async play(stage) {
      await chosen(stage, { approval: true })
      for (const device of ['d1', 'd2']) await stage.join(device, { says: 'active' })
      const isDone = async () => (await stage.newest())?.state === 'done'
      await stage.until(isDone, async () => {
        const rollout = await stage.newest()
        if (rollout?.state === 'running' && !(await stage.hasDone('rollout.pause')))
          return await applyRolloutEvent(stage.context, rollout, 'pause', '', 'operator')
        if (rollout?.state === 'paused')
          return await applyRolloutEvent(stage.context, rollout, 'resume', '', 'operator')
        if (rollout?.state === 'awaiting-approval')
          await applyRolloutEvent(stage.context, rollout, 'approve', '', 'operator')
      })
    },
  },

  /** The canary fails; the operator goes on past it. */
  canary: {
    commits: ['rollout.gate-failed', 'rollout.wave-passed'],
    async play(stage) {
      await chosen(stage, {})
      await stage.join('d1', { says: 'failed' })
      await stage.join('d2', { says: 'active' })
      const isDone = async () => (await stage.newest())?.state === 'done'
      await stage.until(isDone, async () => {
        const rollout = await stage.newest()
        if (rollout?.state !== 'paused') return
        await applyRolloutEvent(stage.context, rollout, 'resume', '', 'operator')
      })
    },
  },

  failures: {
    commits: ['rollout.too-many-failures'],
    async play(stage) {
      await chosen(stage, AT_ONCE)
      for (const device of ['d1', 'd2', 'd3']) await stage.join(device, { says: 'rolled-back' })
      await stage.until(async () => (await stage.newest())?.state === 'aborted')
    },
  },

  /** It installs well, and does badly in the field. */
  sick: {
    commits: ['rollout.health-broken'],
    async play(stage) {
      const health = { watchMs: DAY_MS, conditions: [...parseConditions('temperature<60')] }
      await chosen(stage, { ...AT_ONCE, health })
      await stage.join('d1', { says: 'active' })
      const variant = (await variants.findVariant(stage.context.db, 'small-a'))?.digest ?? ''
      const host = { hottestCelsius: 99, throttled: 0, availableBytes: null, restarts: 0 }
      const window = { ...NOTHING_SEEN, variant, host, inferences: 1 }
      await stage.until(
        async () => (await stage.newest())?.state === 'aborted',
        async () => {
          const head = {
            v: 1,
            id: 'hot',
            at: new Date().toISOString(),
            kind: 'observations',
          } as const
          if ((await stage.stateOf('d1')) !== 'active') return
          await stage.planner.conductor.store.recordReport('d1', {
            ...head,
            model: 'motor',
            ...window,
          })
        },
      )
    },
  },

  /** A device that loses what it was given, again and again. */
  lost: {
    commits: ['device.failed'],
    async play(stage) {
      await chosen(stage, AT_ONCE)
      await stage.join('d1', { says: 'active' })
      await stage.until(
        async () => (await stage.stateOf('d1')) === 'failed',
        async () => {
          if ((await stage.stateOf('d1')) === 'active') await stage.birth('d1', { slots: [] })
        },
      )
    },
  },

  small: {
    commits: ['device.unfit'],
    async play(stage) {
      await chosen(stage, AT_ONCE)
      await stage.join('d1', { says: 'active' }, { memoryLimitBytes: 50_000 })
      await stage.until(async () => (await stage.stateOf('d1')) === 'unfit')
    },
  },

  /** A package is added, given to a device that takes it, and removed. */
  runtime: {
    commits: ['runtime.added', 'runtime.given', 'runtime.removed'],
    async play(stage) {
      const { artifacts, db } = stage.context
      const architecture = 'arm64'
      const bytes = await packageOf({ library: Buffer.from('library'), architecture })
      const { digest } = await artifacts.put(bytes)
      await stage.join('d1', { says: 'active' }, { acceptsRuntimes: true })
      if (!(await stage.hasDone('runtimes.add'))) {
        await addPackage({ source: { digest, name: 'library.so' } }, stage.call)
      }
      if (await stage.hasDone('runtimes.remove')) return
      const isActive = async () => (await runtimePackages.listOffers(db))[0]?.state === 'active'
      await stage.until(isActive)
      await removePackage({ package: digest }, stage.call)
    },
  },

  /** The source is not in the store any more. */
  broken: {
    commits: ['variant.failed'],
    async play(stage) {
      const { context } = stage
      const model = await chosen(stage, {})
      const variant = { key: 'broken', source: 'e'.repeat(64), scheme: 'static-w8a8' } as const
      await variants.ensureVariant(context.db, { ...variant, runtime: 'litert' })
      await stage.until(async () => {
        await buildVariant(context, model, 'broken')
        return (await variants.findVariant(context.db, 'broken'))?.state === 'failed'
      })
    },
  },
} as const satisfies Record<string, Story>

export type StoryName = keyof typeof STORIES

async function chosen({ context }: Stage, over: Partial<RolloutOptions>) {
  const known = await models.findModel(context.db, 'motor')
  return known ?? (await chosenModel(context, CLASS, over))
}

/** Until it has said that it runs something newer. */
async function joinRunning(stage: Stage, variant: string): Promise<void> {
  const hasMoved = (await stage.stateOf('d1')) === 'active'
  const slots = [{ model: 'motor', variant, active: true }]
  await stage.join('d1', { says: 'active' }, hasMoved ? {} : { slots })
}

async function aborted(stage: Stage): Promise<void> {
  await stage.until(async () => ['done', 'aborted'].includes((await stage.newest())?.state ?? ''))
  const rollout = await stage.newest()
  if (rollout?.state !== 'done') return
  await applyRolloutEvent(stage.context, rollout, 'abort', '', 'operator')
}

/** With limits so narrow that one variant is left to build. */
async function register(stage: Stage) {
  const { artifacts, db } = stage.context
  const put = async (bytes: Uint8Array, name: string) => ({
    digest: (await artifacts.put(bytes)).digest,
    name,
  })
  const limits = { maxAccuracyDrop: 1, maxLatencyMs: null, maxMemoryBytes: null }
  await addModel(
    {
      name: 'motor',
      source: await put(await readFile(SMALL_MODEL), 'model.tflite'),
      calibration: null,
      test: await put(await fewSamples('test', 8), 'test.npz'),
      objective: 'size',
      constraints: { ...limits, maxBytes: 70_000 },
    },
    stage.call,
  )
  return await models.findModel(db, 'motor')
}
