import { mkdir, writeFile } from 'node:fs/promises'
import { join as joined } from 'node:path'
import type { Test } from 'tap'
import type { ConductorContext } from '../../../planner/conductor/index.ts'
import { consolePages, linkWith } from '../../../planner/console/index.ts'
import {
  alarms,
  capturedSamples,
  type Db,
  devices,
  health,
  memberships,
  models,
  rollouts,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { normalFrom } from '../../../shared/statistics/index.ts'
import { httpPlanner } from '../../planner/api/http-planner.ts'
import { chosenModel, options } from '../../planner/conductor/chosen-model.ts'
import { referenceOf, seenOf } from '../../planner/health/observations.ts'
import { birth, hardware, newModel } from '../../planner/storage/sample.ts'

export const DEVICES = 10_000
const CLASS = 'raspberry-pi-4'
const SITES = 40
const EACH = 500
const DAY_MS = 86_400_000

/** Names are what devices call themselves; these are as bad as the wire lets through. */
const nameOf = (at: number) => `press-${String(at).padStart(5, '0')}`

/** What a board may call itself: it is text of a device, and nothing else. */
export const MARKUP = '<img src=x onerror="document.title=1"><b>Pi 4</b>'

interface Visitor {
  readonly name: string
  readonly role: 'admin' | 'operator' | 'viewer'
  readonly lifetimeMs: number | null
}

/**
 * A real planner whose database holds a fleet of ten thousand, a rollout that a gate paused, alarms, and how the
 * model did: all of it written through the planner's own storage.
 */
export async function largeFleet(t: Test) {
  const http = await httpPlanner(t, { pages: consolePages() })
  const { conductor, clock } = http.planner
  clock.now = new Date()
  const { db, now } = conductor.context
  const model = await chosenModel(conductor.context, CLASS)
  await hostileWords(db, model.id, now())
  const variant = (await variants.findVariant(db, 'small-a'))?.digest ?? ''
  for (let from = 0; from < DEVICES; from += EACH) {
    await db.transaction().execute(async (trx) => {
      for (let at = from; at < from + EACH; at += 1) await join(trx, at, variant, now())
    })
  }
  await pausedRollout(db, model.id, now())
  await observed(http, model.name)
  await captured(conductor.context)
  const link = async (path: string, by: Partial<Visitor> = {}) => {
    const { name = 'ann', role = 'admin', lifetimeMs = null } = by
    return linkWith(await http.token(`${name}-${role}`, role, lifetimeMs), path)
  }
  return { ...http, link }
}

/** What stands in a model file, or in what a runtime says of it, is as much a stranger's text as a device's name. */
async function hostileWords(db: Db, model: string, at: Date): Promise<void> {
  const planned = ['small-a', 'large-a'].map((variant, index) => ({
    ...{ variant, runtime: 'litert', kept: true, reason: MARKUP },
    scheme: index === 0 ? 'static-w8a8' : 'float16',
  }))
  await variants.replaceCandidates(db, model, CLASS, planned as variants.PlannedCandidate[])
  const built = await variants.findVariant(db, 'small-a')
  const findings = [{ code: 'output-noisy', severity: 'warning', message: MARKUP }] as const
  const losses = ['conv/1', MARKUP].map((layer, index) => ({
    ...{ layer, operator: 'CONV_2D', type: 'int8', sqnrDb: 18.4 + 9 * index },
    of: index === 0 ? 'output' : 'weights',
  }))
  const facts = { digest: built?.digest ?? '', findings, losses, operators: null, buildMs: 1 }
  await variants.recordBuilt(db, 'small-a', facts, at)
}

const FOUND = { class: CLASS, reason: ['its board says so'], storageRoom: 2e10, memoryRoom: 2e9 }

async function join(db: Db, at: number, variant: string, now: Date): Promise<void> {
  const report = at === 1 ? named(MARKUP) : hardware
  const labels = { site: `hall-${at % SITES}`, line: String(at % 7) }
  const slots = runsIt(at) ? [{ model: 'motor', variant, active: true }] : []
  const said = birth(1, { id: `birth-${at}`, report, labels, slots })
  await devices.recordBirth(db, nameOf(at), said, now, FOUND)
  if (at % 50 === 3) await devices.recordDeath(db, nameOf(at), said.epoch, now)
}

function named(model: string): typeof hardware {
  return { ...hardware, board: { ...hardware.board, model } }
}

const CAUSES = ['disk-full: no room for 100000 bytes', 'self-test: 3 of 8 answers differ']

const hasFailed = (at: number) => at % 10 === 9
const runsIt = (at: number) => at < DEVICES / 2 && !hasFailed(at)

const GATE = { successShare: 0.95, failureThreshold: 0.2, minimumSample: 3 }

/** Half of the fleet was reached, and every tenth failed, for one of two reasons. */
async function pausedRollout(db: Db, model: string, at: Date): Promise<void> {
  const selection = await selections.currentSelection(db, model, CLASS)
  const rollout = await rollouts.addRollout(
    db,
    {
      ...{ model, modelName: 'motor', class: CLASS, selection: selection?.seq ?? 0 },
      state: 'paused',
      options: { ...options, waves: [{ count: 1 }, { share: 0.5 }, { share: 1 }], gate: GATE },
      reason: '4500 of 5000 devices succeeded, 95 % wanted before the next wave',
    },
    at,
  )
  await rollouts.moveRollout(
    db,
    rollout.id,
    { state: 'paused', wave: 1, reason: rollout.reason },
    at,
  )
  for (let from = 0; from < DEVICES / 2; from += EACH) {
    const rows = Array.from({ length: EACH }, (_, index) => member(rollout.id, from + index))
    await memberships.putMembers(db, rows, at)
  }
}

function member(rollout: string, at: number): memberships.NewMember {
  const error = hasFailed(at) ? CAUSES[at % 3 === 0 ? 1 : 0] : undefined
  return {
    ...{ rollout, device: nameOf(at), wave: at === 0 ? 0 : 1, variant: 'small-a' },
    state: error === undefined ? 'active' : 'failed',
    ...{ orderId: `order-${at}`, attempt: 1, previous: null },
    ...(error !== undefined && { error }),
  }
}

/** A week of a model that drifts, on a few devices, and an alarm on one. */
async function observed(
  { planner }: Awaited<ReturnType<typeof httpPlanner>>,
  model: string,
): Promise<void> {
  const { db, now, artifacts } = planner.conductor.context
  const variant = (await variants.findVariant(db, 'small-a'))?.digest ?? ''
  const reference = referenceOf()
  const { digest } = await artifacts.put(Buffer.from(JSON.stringify(reference)))
  await health.putSketch(db, { variant: 'small-a', reference: digest, sketch: digest })
  const at = now()
  for (let device = 0; device < 20; device += 1) {
    for (let ago = 6; ago >= 0; ago -= 1) {
      const day = new Date(at.getTime() - ago * DAY_MS).toISOString().slice(0, 10)
      const drifts = (random: () => number) => normalFrom(random) + (6 - ago) * 0.12
      const seen = seenOf({ variant, reference, digest, seed: device * 10 + ago, value: drifts })
      const key = { device: nameOf(device), model, variant, day }
      await health.putDay(db, key, { seen, points: [] })
      if (ago > 0) continue
      const receivedAt = at.toISOString()
      await health.putLatest(db, { ...key, report: `${device}`, seen, receivedAt })
    }
  }
  const time = at.toISOString()
  for (let device = 0; device < 12; device += 1) {
    await alarms.putAlarm(db, {
      ...{ rule: 'drift<0.2', model, device: nameOf(device * 700) },
      count: { state: 'raised', broken: 3, kept: 0 },
      evidence: 'drift 0.41 of output y over 600 inferences, three windows in a row',
      ...{ raisedAt: time, clearedAt: null, updatedAt: time },
    })
  }
}

/** Samples that devices sent of each model, in turns. */
export const SAMPLES = 300
const CAPTURERS = [3, 700, 1400]

/** A model of spectrograms and of a signal beside the one of pictures, and samples of both. */
async function captured({ db, artifacts, now }: ConductorContext): Promise<void> {
  const inputs = [
    { name: 'spectrogram', type: 'float32', shape: [1, 61, 40] },
    { name: 'signal', type: 'float32', shape: [1, 800] },
  ]
  await models.addModel(
    db,
    { ...newModel, name: 'hum', facts: { ...newModel.facts, inputs } },
    now(),
  )
  const variant = (await variants.findVariant(db, 'small-a'))?.digest ?? ''
  for (const [model, portsOf] of Object.entries(CAPTURED)) {
    for (let at = 0; at < SAMPLES; at += 1) {
      const device = nameOf(CAPTURERS[at % CAPTURERS.length] ?? 0)
      const time = new Date(now().getTime() - (SAMPLES - at) * 60_000)
      const why = at % 5 === 0 ? 'outside' : 'low-confidence'
      const outputs = { y: [0.2, 0.3, 0.1, 0.15, 0.05, 0.2] }
      const said = { at: time.toISOString(), variant, why, inputs: portsOf(at), outputs }
      const file = Buffer.from(JSON.stringify(said))
      const sample = { digest: digestOf(file), bytes: file.length }
      const folder = joined(artifacts.root, 'samples', device)
      await mkdir(folder, { recursive: true })
      await writeFile(joined(folder, sample.digest), file)
      await capturedSamples.offer(db, device, model, [sample], time)
      await capturedSamples.recordKept(db, device, sample.digest, said, time)
    }
  }
}

/** Inputs of the nth sample, by model. */
const CAPTURED: Readonly<Record<string, (at: number) => Record<string, number[]>>> = {
  /** A bright disc that wanders over a gradient. */
  motor: (at) => ({
    x: drawn(32 * 32, (point) => {
      const [row, column] = [Math.floor(point / 32), point % 32]
      const isInside = Math.hypot(row - 16 - 8 * Math.sin(at), column - 16 - 8 * Math.cos(at)) < 6
      return isInside ? [1, 0.8, 0.1] : [row / 60, 0.1 + column / 90, 0.35]
    }),
  }),
  /** Two tones, one of which rises. */
  hum: (at) => ({
    spectrogram: drawn(61 * 40, (cell) => {
      const [time, band] = [Math.floor(cell / 40), cell % 40]
      return [Math.exp(-((band - 8) ** 2) / 4) + Math.exp(-((band - 15 - time / 4) ** 2) / 3)]
    }),
    signal: drawn(800, (moment) => [Math.sin(moment / (4 + (at % 9))) * Math.exp(-moment / 400)]),
  }),
}

function drawn(points: number, of: (point: number) => readonly number[]): number[] {
  return Array.from({ length: points }, (_, point) => of(point).map(round)).flat()
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
