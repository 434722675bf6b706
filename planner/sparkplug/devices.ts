import { type ConductorContext, yardstickOf } from '../conductor/index.ts'
import { type Figures, figuresOf } from '../health/index.ts'
import { alarms, devices, health, models, variants } from '../storage/index.ts'
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
    await this.#readWindows()
    let after = ''
    for (;;) {
      const page = await devices.pageOfDevices(db, after, PAGE)
      for (const device of page) {
        if (!device.online) continue
        const active = device.slots.filter((slot) => slot.active)
        const all: ModelSaid[] = []
        for (const { model, variant } of active.sort((a, b) => (a.model < b.model ? -1 : 1))) {
          const key = `${device.id} ${model}`
          const { figures = null } = this.#figures.get(key) ?? {}
          const file = await this.#fileOf(model, variant)
          all.push({ model, variant, ...file, alarms: raised.get(key) ?? 0, figures })
        }
        said.set(device.id, deviceMetrics(device, all))
      }
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return said
      after = last.id
    }
  }

  async #raised(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    for (const { device, model, count } of await alarms.alarmsOf(this.#context.db)) {
      const key = `${device} ${model}`
      if (count.state === 'raised') counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  }

  async #readWindows(): Promise<void> {
    const { db } = this.#context
    for (const { name } of await models.listModels(db)) {
      for (const { device: id, model, report, seen } of await health.latestOf(db, name)) {
        const key = `${id} ${model}`
        if (this.#figures.get(key)?.report === report) continue
        const device = { id, class: (await devices.findDevice(db, id))?.class ?? null }
        const { reference, probeMs } = await yardstickOf(this.#context, db, device, {
          model,
          ...seen,
        })
        this.#figures.set(key, { report, figures: figuresOf(seen, reference, probeMs) })
      }
    }
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
