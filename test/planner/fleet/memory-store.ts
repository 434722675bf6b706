import { type FileHandle, open } from 'node:fs/promises'
import type { Awaiting, FleetStore } from '../../../planner/fleet/store.ts'
import type { Birth, Epoch } from '../../../shared/messages/birth.ts'
import type { Order } from '../../../shared/messages/orders.ts'
import type { Report } from '../../../shared/messages/reports.ts'

/** A FleetStore as its contract says, that forgets everything at the end of the process. */
export class MemoryStore implements FleetStore {
  readonly births: { device: string; birth: Birth }[] = []
  readonly epochs = new Map<string, Epoch>()
  readonly reports = new Map<string, Report>()
  readonly garbage: { device: string; channel: string; reason: string }[] = []
  readonly orders = new Map<string, Order[]>()
  readonly files = new Map<string, string>()
  readonly denied = new Set<string>()
  /** Whether somebody may fetch, each time that it was asked. */
  readonly answered: boolean[] = []
  /** Set to make writing fail, as a full disk does. */
  broken = false
  failures = 0

  async recordBirth(device: string, birth: Birth): Promise<Awaiting> {
    this.#write()
    this.births.push({ device, birth })
    this.epochs.set(device, birth.epoch)
    return { orders: (this.orders.get(device) ?? []).length > 0, samples: true }
  }

  async recordDeath(device: string, epoch: Epoch): Promise<void> {
    const known = this.epochs.get(device)
    if (known?.start === epoch.start && known.connection === epoch.connection) {
      this.epochs.delete(device)
    }
  }

  async recordReport(device: string, report: Report): Promise<'new' | 'duplicate'> {
    this.#write()
    const key = `${device}/${report.id}`
    const outcome = this.reports.has(key) ? 'duplicate' : 'new'
    this.reports.set(key, report)
    if (report.kind === 'ack') {
      const open = this.orders.get(device) ?? []
      this.orders.set(
        device,
        open.filter(({ id }) => id !== report.order),
      )
    }
    return outcome
  }

  #write(): void {
    if (!this.broken) return
    this.failures += 1
    throw new Error('disk full')
  }

  async recordGarbage(device: string, channel: string, reason: string): Promise<void> {
    this.garbage.push({ device, channel, reason })
  }

  readonly doubles: string[] = []

  async recordDouble(device: string): Promise<void> {
    this.doubles.push(device)
  }

  async isOnline(device: string): Promise<boolean> {
    return this.epochs.has(device)
  }

  async knownDevices(): Promise<readonly string[]> {
    return [...new Set(this.births.map(({ device }) => device))]
  }

  async pendingOrders(device: string): Promise<readonly Order[]> {
    return this.orders.get(device) ?? []
  }

  async mayFetch(device: string, artifact: string): Promise<boolean> {
    const may = this.files.has(artifact) && !this.denied.has(device)
    this.answered.push(may)
    return may
  }

  async openArtifact(artifact: string): Promise<FileHandle | undefined> {
    const path = this.files.get(artifact)
    return path === undefined ? undefined : await open(path, 'r')
  }
}
