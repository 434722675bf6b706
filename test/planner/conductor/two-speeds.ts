import { models, probes } from '../../../planner/storage/index.ts'
import type { ProbeEnvironment } from '../../../shared/measure/index.ts'
import { newModel } from '../storage/sample.ts'
import { type Planner, record } from './scripted-fleet.ts'

export const CLASS = 'raspberry-pi-4'

const AROUND: ProbeEnvironment = {
  governor: null,
  frequencyKhz: null,
  maxFrequencyKhz: null,
  hottestCelsius: null,
  cooling: null,
  throttleCount: null,
  piFlags: [],
  load1: null,
  availableBytes: null,
  cpuTicks: null,
  cpuPressure: null,
  memoryPressure: null,
}

export type Row = readonly [device: string, p50Ms: number, governor: string | null]

export const TWO_SPEEDS: readonly Row[] = [
  ['a', 10, 'performance'],
  ['b', 10.2, 'performance'],
  ['c', 9.9, 'performance'],
  ['d', 16, 'powersave'],
  ['e', 16.3, 'powersave'],
  ['f', 15.8, 'powersave'],
]

/** What devices of the class measured of one variant, each with the governor it had; written once. */
export async function measuredBy({ conductor }: Planner, rows: readonly Row[]): Promise<void> {
  const { db, now, agenda } = conductor.context
  const model =
    (await models.findModel(db, 'motor')) ?? (await models.addModel(db, newModel, now()))
  for (const [device, p50Ms, governor] of rows) {
    const id = `probe-${device}`
    if (await probes.findProbe(db, id)) continue
    const at = now().toISOString()
    const asked = { model: model.id, class: CLASS, round: 1, variant: 'float32', rival: null }
    await probes.addProbe(db, { ...asked, id, device, orderedAt: at, deadline: at })
    const environment = { before: { ...AROUND, governor }, after: { ...AROUND, governor } }
    const told = { ...record(p50Ms, null), environment }
    await probes.finishProbe(db, id, { state: 'measured', record: told }, now())
  }
  agenda.pipeline({ model: model.id, class: CLASS })
}
