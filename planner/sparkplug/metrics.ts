import type { Figures } from '../health/index.ts'
import type { Device } from '../storage/index.ts'
import type { Metrics, Value } from './payload.ts'

/** What is said of a model on a device. */
export interface ModelSaid {
  readonly model: string
  /** Digest of the file that runs. */
  readonly variant: string
  readonly revision: number | null
  readonly scheme: string | null
  readonly alarms: number
  /** Null: applications tell nothing of it. */
  readonly figures: Figures | null
}

const text = (value: string | null): Value => ({ type: 'String', value })
const whole = (value: number | null): Value => ({ type: 'Int64', value })
const real = (value: number | null): Value => ({ type: 'Double', value })

export const REBIRTH = 'Node Control/Rebirth'
export const BD_SEQ = 'bdSeq'

/** Of the planner itself, at its birth. */
export function nodeMetrics(bdSeq: number, fleet: string, version: string): Metrics {
  return new Map<string, Value>([
    [BD_SEQ, whole(bdSeq)],
    [REBIRTH, { type: 'Boolean', value: false }],
    ['Properties/Software', text(`fitment ${version}`)],
    ['Properties/Fleet', text(fleet)],
  ])
}

export function deathMetrics(bdSeq: number): Metrics {
  return new Map([[BD_SEQ, whole(bdSeq)]])
}

/** Inventory of a device, and how its models do. Names are the same as long as its models are. */
export function deviceMetrics(device: Device, models: readonly ModelSaid[]): Metrics {
  const { report } = device
  const { board, cpu } = report
  const all: [string, Value][] = [
    ['Inventory/Class', text(device.class)],
    ['Inventory/Board', text(board.model)],
    ['Inventory/Architecture', text(report.architecture)],
    ['Inventory/Processor', text(cpu.model)],
    ['Inventory/Cores', whole(cpu.cores)],
    ['Inventory/Memory bytes', whole(report.memory.totalBytes)],
    ['Inventory/Accelerators', text(report.accelerators.map(({ kind }) => kind).join(' '))],
    ['Inventory/Agent', text(device.agentVersion)],
    [
      'Inventory/Runtimes',
      text(device.runtimes.map(({ name, version }) => `${name} ${version}`).join(', ')),
    ],
  ]
  for (const { model, variant, revision, scheme, alarms, figures } of models) {
    const { p50 = null, p95 = null } = figures?.latencyMs ?? {}
    all.push(
      [`Models/${model}/Variant`, text(variant)],
      [`Models/${model}/Revision`, whole(revision)],
      [`Models/${model}/Scheme`, text(scheme)],
      [`Models/${model}/Health/Alarms`, whole(alarms)],
      [`Models/${model}/Health/Inferences`, whole(figures?.inferences ?? null)],
      [`Models/${model}/Health/Drift`, real(figures?.drift ?? null)],
      [`Models/${model}/Health/Latency p50 ms`, real(p50)],
      [`Models/${model}/Health/Latency p95 ms`, real(p95)],
      [`Models/${model}/Health/Not finite`, real(figures?.notFinite ?? null)],
    )
  }
  return new Map(all)
}

/** Undefined: other metrics than before, which takes a birth. Else those with another value. */
export function changedIn(before: Metrics, now: Metrics): Metrics | undefined {
  if (before.size !== now.size) return undefined
  const changed = new Map<string, Value>()
  for (const [name, said] of now) {
    const known = before.get(name)
    if (known === undefined) return undefined
    if (!Object.is(known.value, said.value)) changed.set(name, said)
  }
  return changed
}
