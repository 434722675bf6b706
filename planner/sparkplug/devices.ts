import { type ConductorContext, yardstickOf } from '../conductor/index.ts'
import { type Figures, figuresOf } from '../health/index.ts'
import {
  alarms,
  type Device,
  devices,
  health,
  type LatestWindow,
  models,
  variants,
} from '../storage/index.ts'
import { deviceMetrics, type ModelSaid } from './metrics.ts'
import type { Metrics } from './payload.ts'

const PAGE = 500

type Asked = Pick<ConductorContext, 'db' | 'artifacts' | 'log'>

interface File {
  readonly revision: number | null
  readonly scheme: string | null
}

/** Devices that are there, with what is known of their models. Figures of a window are made once. */
export class DevicesNow {
  readonly #context: Asked
  readonly #figures = new Map<string, { readonly report: string; readonly figures: Figures }>()
  readonly #files = new Map<string, File>()

  constructor(context: Asked) {
    this.#context = context
  }

  async read(): Promise<ReadonlyMap<string, Metrics>> {
    const { db } = this.#context
    const said = new Map<string, Metrics>()
    const raised = await this.#raised()
    const windows = await this.#windows()
    let after = ''
    for (;;) {
      const page = await devices.pageOfDevices(db, after, PAGE)
      for (const device of page) {
        if (!device.online) continue
        said.set(device.id, deviceMetrics(device, await this.#modelsOf(device, windows, raised)))
      }
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return said
      after = last.id
    }
  }

  async #modelsOf(
    device: Device,
    windows: ReadonlyMap<string, LatestWindow>,
    raised: ReadonlyMap<string, number>,
  ): Promise<readonly ModelSaid[]> {
    const active = device.slots.filter((slot) => slot.active)
    const all: ModelSaid[] = []
    for (const { model, variant } of active.sort((a, b) => (a.model < b.model ? -1 : 1))) {
      const key = keyOf(device.id, model)
      const window = windows.get(key)
      const figures = window ? await this.#figuresOf(device, window) : null
      const file = await this.#fileOf(model, variant)
      all.push({ model, variant, ...file, alarms: raised.get(key) ?? 0, figures })
    }
    return all
  }

  async #raised(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    for (const { device, model, count } of await alarms.alarmsOf(this.#context.db)) {
      const key = keyOf(device, model)
      if (count.state === 'raised') counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  }

  async #windows(): Promise<ReadonlyMap<string, LatestWindow>> {
    const { db } = this.#context
    const all: [string, LatestWindow][] = []
    const names = new Set((await models.listModels(db)).map(({ name }) => name))
    for (const name of names) {
      for (const window of await health.latestOf(db, name)) {
        all.push([keyOf(window.device, window.model), window])
      }
    }
    return new Map(all)
  }

  async #figuresOf(
    device: Pick<Device, 'id' | 'class'>,
    { model, report, seen }: LatestWindow,
  ): Promise<Figures> {
    const key = keyOf(device.id, model)
    const known = this.#figures.get(key)
    if (known?.report === report) return known.figures
    const of = { model, ...seen }
    const { reference, probeMs } = await yardstickOf(this.#context, this.#context.db, device, of)
    const figures = figuresOf(seen, reference, probeMs)
    this.#figures.set(key, { report, figures })
    return figures
  }

  /** Of which revision a file is; what is not known, is no model of ours. */
  async #fileOf(model: string, digest: string): Promise<File> {
    const key = `${model} ${digest}`
    const known = this.#files.get(key)
    if (known !== undefined) return known
    const { db } = this.#context
    const variant = await variants.variantByDigest(db, digest)
    const built = variant && (await models.revisionOf(db, model, variant.source))
    const file = { revision: built?.revision ?? null, scheme: variant?.scheme ?? null }
    this.#files.set(key, file)
    return file
  }
}

function keyOf(device: string, model: string): string {
  return `${device} ${model}`
}
