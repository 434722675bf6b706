import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Call } from '../../../planner/api/call/call.ts'
import type { ConductorContext } from '../../../planner/conductor/index.ts'
import { audit, type Rollout, rollouts } from '../../../planner/storage/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { Order } from '../../../shared/messages/orders.ts'
import { type InstallState, type Report, reportSchema } from '../../../shared/messages/reports.ts'
import { birth } from '../storage/sample.ts'
import { callOf, type Planner, record, settle } from './scripted-fleet.ts'

export const CLASS = 'raspberry-pi-4'

const lineSchema = z.object({ device: z.string(), report: reportSchema })

/** What a device makes of what it is told. */
export interface Part {
  readonly says: Extract<InstallState, 'active' | 'rolled-back' | 'failed'>
  /** True: it does not hear this order for a probe. */
  readonly ignores?: (order: Order) => Promise<boolean>
}

/** One run of a story: a planner as it opens, and devices that remember what they said in a diary. */
export class Stage {
  readonly planner: Planner
  readonly #folder: string
  readonly #run: number
  readonly #isCut: () => boolean
  readonly #parts = new Map<string, Part>()
  readonly #told = new Set<string>()
  #births = 0

  constructor(planner: Planner, folder: string, run: number, isCut: () => boolean) {
    this.planner = planner
    this.#folder = folder
    this.#run = run
    this.#isCut = isCut
  }

  get context(): ConductorContext {
    return this.planner.conductor.context
  }

  get call(): Call {
    return callOf(this.planner, 'cli:test')
  }

  /** The device says what runs there, and, as an outbox would, everything that it ever said. */
  async join(device: string, part: Part, over: Partial<Birth> = {}): Promise<void> {
    this.#parts.set(device, part)
    const said = this.#diary().filter((line) => line.device === device)
    const last = said.findLast(
      ({ report }) => report.kind === 'install' && report.state === 'active',
    )
    const slots =
      last?.report.kind === 'install'
        ? [{ model: last.report.model, variant: last.report.variant, active: true }]
        : []
    await this.birth(device, { slots, ...over })
    for (const { report } of said) await this.#hand(device, report)
  }

  async birth(device: string, over: Partial<Birth>): Promise<void> {
    this.#births += 1
    const epoch = { start: `run-${this.#run}`, connection: this.#births }
    const said = birth(this.#births, { id: newId(), epoch, ...over })
    await this.planner.conductor.store.recordBirth(device, said)
  }

  /** Every device answers what it is told, and the operator does what is asked of him at every turn. */
  async until(isOver: () => Promise<boolean>, operator = async () => {}): Promise<void> {
    for (;;) {
      await settle(this.planner)
      if (this.#isCut()) throw new Error('no power')
      if (await isOver()) return
      await operator()
      for (const [device, part] of this.#parts) await this.#answerAll(device, part)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async newest(): Promise<Rollout | undefined> {
    return (await rollouts.rolloutsOf(this.context.db, 'motor'))[0]
  }

  async stateOf(device: string): Promise<string | undefined> {
    const rollout = await this.newest()
    const members = await rollouts.membersOf(this.context.db, rollout?.id ?? '')
    return members.find((member) => member.device === device)?.state
  }

  async hasDone(action: string): Promise<boolean> {
    const entries = await audit.readAudit(this.context.db, { limit: 1000 })
    return entries.some((entry) => entry.action === action)
  }

  async #answerAll(device: string, part: Part): Promise<void> {
    for (const order of await this.planner.conductor.store.pendingOrders(device)) {
      if (this.#told.has(order.id) || (await part.ignores?.(order))) continue
      this.#told.add(order.id)
      const said = await this.#answersTo(device, order, part)
      // All of it written down before any of it is said, as the agent's journal has the order itself.
      const lines = said.map((report) => `${JSON.stringify({ device, report })}\n`)
      appendFileSync(join(this.#folder, 'diary.ndjson'), lines.join(''))
      for (const report of said) await this.#hand(device, report)
    }
  }

  async #answersTo(device: string, order: Order, { says }: Part): Promise<Report[]> {
    const head = (what: string) =>
      ({ v: 1, id: `${order.id}-${what}`, at: new Date().toISOString() }) as const
    const ack = { ...head('ack'), kind: 'ack', order: order.id } as const
    if (order.kind === 'probe') {
      const { id, model, variant } = order
      const result = { outcome: 'measured', record: record(5, null) } as const
      return [ack, { ...head('result'), kind: 'probe', order: id, model, variant, result }]
    }
    if (order.kind !== 'assign') return [ack]
    const { model, variant } = await this.planner.assignmentOf(order, device)
    const about = { kind: 'install', order: order.id, model, variant } as const
    return [
      ack,
      { ...head('accepted'), ...about, state: 'accepted' },
      { ...head(says), ...about, state: says },
    ]
  }

  async #hand(device: string, report: Report): Promise<void> {
    await this.planner.conductor.store.recordReport(device, report)
    appendFileSync(join(this.#folder, 'receipts'), `${report.id}\n`)
  }

  #diary(): z.infer<typeof lineSchema>[] {
    const path = join(this.#folder, 'diary.ndjson')
    if (!existsSync(path)) return []
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    return lines.map((line) => lineSchema.parse(JSON.parse(line)))
  }
}
