import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { isPlausible, watchClock } from '../../shared/clock/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Birth, Epoch, HardwareReport } from '../../shared/messages/index.ts'
import {
  ArtifactCopy,
  ArtifactStore,
  DiskQuota,
  lookAtFileSystems,
  Slots,
} from '../artifacts/index.ts'
import { DdiClient } from '../ddi/index.ts'
import { Engines, nameOf } from '../engines/index.ts'
import { DeviceLink, Outbox } from '../link/index.ts'
import { CapturedSamples, Observer, SampleUploads } from '../observe/index.ts'
import { DeviceTrust } from '../trust/index.ts'
import type { Agent, AgentOptions } from './agent.ts'
import type { AgentContext } from './agent-context.ts'
import { HealthMessages } from './health/health-messages.ts'
import { checkPackages } from './install/check-packages.ts'
import { Installer } from './install/installer.ts'
import { recoverSlots } from './install/recovery.ts'
import { Journal } from './journal/journal.ts'
import { Ledger } from './journal/ledger.ts'
import { OrderHandler } from './orders/order-handler.ts'
import { ShippedVariants } from './orders/shipped.ts'
import { targetAttributes } from './orders/target-attributes.ts'
import { METADATA_PATIENCE } from './orders/verify-assignment.ts'
import { MeasurementLock } from './probes/measurement-lock.ts'
import { Prober } from './probes/prober.ts'
import { SelfChecks, WEEKLY } from './self-check/self-check.ts'
import { claimStateDir } from './sockets/single-instance.ts'
import { openSockets } from './sockets/sockets.ts'
import { type AgentStatus, readStatus } from './sockets/status.ts'
import { SwitchNotices } from './sockets/switch-notices.ts'

/** How late it is, is written down so often, ms. */
const TIME_KEPT_MS = 3_600_000
/** Between two looks at the files of native libraries, ms. */
const ENGINES_READ_MS = 15_000
const OBSERVE_MS = 3_600_000
/** A sample that was kept is told of after so long at most, ms. */
const MOST_UNTOLD_MS = 60_000
const UNKNOWN_HOST = { hottestCelsius: null, throttled: null, availableBytes: null }

/**
 * Starts the daemon; resolves before the broker is reached, which may take for ever.
 * @throws AgentError `already-running`, `state-dir-unusable`; JournalError; ArtifactError
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const release = await claimStateDir(options.stateDir)
  try {
    const engines = new Engines(options.engineSettings)
    const trust = await openTrust(options, engines)
    const folder = (name: string) => join(options.stateDir, name)
    const fileSystems = await lookAtFileSystems(folder('artifacts'), folder('slots'))
    return await new Daemon(options, { trust, engines, fileSystems }, release).start()
  } catch (error) {
    await release()
    throw error
  }
}

function openTrust(
  { stateDir, device, trust, class: deviceClass, clock }: AgentOptions,
  engines: Engines,
): Promise<DeviceTrust> {
  // Another anchor is another world: nothing that was believed under the one holds under the other.
  const dir = join(stateDir, 'trust', trust.slice(0, 16))
  return DeviceTrust.open({
    dir,
    device,
    class: deviceClass,
    get runtimes() {
      return engines.fileRuntimes
    },
    anchor: trust,
    clock,
  })
}

function copyFor({
  pulls = true,
  endpoint,
  log,
  stateDir,
}: AgentOptions): ArtifactCopy | undefined {
  return pulls
    ? new ArtifactCopy({
        ...{ log, keptIn: join(stateDir, 'copy-url') },
        shown: () => endpoint.certificate?.(),
      })
    : undefined
}

function systemZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

class Daemon implements Agent {
  readonly #options: AgentOptions
  readonly #release: () => Promise<void>
  readonly #leaving = new AbortController()
  readonly #journal: Journal
  readonly #link: DeviceLink
  readonly #copy: ArtifactCopy | undefined
  readonly #outbox: Outbox
  readonly #context: AgentContext
  readonly #installer: Installer
  readonly #prober: Prober
  readonly #observer: Observer
  readonly #checks: SelfChecks
  readonly #uploads: SampleUploads
  #desk: OrderHandler | undefined
  #updater: DdiClient | undefined
  #closeSocket: () => Promise<void> = async () => {}
  #timekeeper: NodeJS.Timeout | undefined
  #enginesKeeper: NodeJS.Timeout | undefined
  #stopClockWatch: () => void = () => {}

  constructor(
    options: AgentOptions,
    { trust, engines, fileSystems }: Pick<AgentContext, 'trust' | 'engines' | 'fileSystems'>,
    release: () => Promise<void>,
  ) {
    this.#options = options
    this.#release = release
    const { stateDir, clock, log } = options
    this.#journal = new Journal(join(stateDir, 'journal'), options.failPoints)
    this.#link = new DeviceLink({
      ...options,
      start: randomUUID(),
      birth: (epoch) => this.#birth(epoch),
      onOrder: (order) => this.#desk?.take(order),
    })
    const monotonic = () => clock.monotonic()
    this.#outbox = new Outbox({
      pending: this.#journal.all('report'),
      send: (report) => this.#link.report(report),
      monotonic,
    })
    this.#copy = copyFor(options)
    const slots = new Slots(join(stateDir, 'slots'), (point) => options.failPoints.reach(point))
    const measurementLock = new MeasurementLock()
    const store = new ArtifactStore({
      directory: join(stateDir, 'artifacts'),
      quota: new DiskQuota(stateDir, options.storageLimitBytes),
      slots,
      cacheLimitBytes: options.cacheLimitBytes,
      wire: { source: this.#link, gate: measurementLock, monotonic, window: options.window },
      copy: this.#copy,
    })
    this.#context = {
      stateDir,
      ledger: new Ledger(this.#journal, this.#outbox, log),
      trust,
      engines,
      patience: options.patience ?? METADATA_PATIENCE,
      slots,
      store,
      fileSystems,
      measurementLock,
      modelRunner: options.modelRunner,
      health: options.health,
      messages: new HealthMessages(),
      notices: new SwitchNotices(),
      clock,
      timeZone: options.timeZone ?? systemZone,
      log,
      tell: (report) => void this.#link.report(report),
      packagesChanged: () => void this.#link.rebirth(),
      leaving: this.#leaving.signal,
    }
    this.#installer = new Installer(this.#context)
    this.#prober = new Prober(this.#context)
    const { capture } = options
    const captured = capture && new CapturedSamples(stateDir, capture.bytes, clock, log)
    this.#observer = this.#newObserver(captured)
    this.#uploads = this.#newUploads(capture?.isLocal ? undefined : captured)
    this.#checks = new SelfChecks(this.#context, this.#observer, options.check ?? WEEKLY)
  }

  async start(): Promise<Agent> {
    const { log, stateDir } = this.#options
    const { damagedLines } = this.#journal
    if (damagedLines > 0) log.warn({ damagedLines }, 'the journal was torn; the rest of it stands')
    await this.#context.store.open()
    await this.#copy?.recall()
    await recoverSlots(this.#context)
    this.#desk = new OrderHandler(this.#context, {
      ...this.#options,
      installer: this.#installer,
      prober: this.#prober,
      uploads: this.#uploads,
      rebirth: () => void this.#link.rebirth(),
      confirmed: (ids) => this.#link.confirmed(ids),
      copyLiesAt: (url) => this.#copy?.liesAt(url),
    })
    const wasClean = this.#journal.get('run', 'agent')?.clean ?? true
    this.#journal.commit('run.started', [{ kind: 'run', key: 'agent', value: { clean: false } }])
    await checkPackages(this.#context)
    await this.#context.engines.refresh()
    await this.#installer.resume(wasClean)
    this.#prober.resume(wasClean)
    await this.#observer.start(await this.#context.slots.models())
    this.#checks.start()
    const { messages, notices } = this.#context
    this.#closeSocket = await openSockets(
      stateDir,
      { status: () => this.status(), messages, notices, observer: this.#observer },
      log,
    )
    this.#timekeeper = setInterval(() => void this.#keepTime(), TIME_KEPT_MS).unref()
    this.#link.onConnected(() => this.#outbox.connected())
    this.#link.onConnected(() => this.#uploads.connected())
    this.#uploads.start()
    this.#link.start()
    this.#updater = this.#otherUpdater()
    this.#stopClockWatch = this.#watchClock()
    this.#enginesKeeper = setInterval(() => void this.#lookAtEngines(), ENGINES_READ_MS).unref()
    this.#tellUnusable()
    const engines = this.#context.engines.all.map(nameOf)
    log.info({ stateDir, engines, restarted: !wasClean }, 'agent started')
    return this
  }

  status(): Promise<AgentStatus> {
    const { version, fleet, device, endpoint, stateDir } = this.#options
    const { slots } = this.#context
    return readStatus(
      { stateDir, journal: this.#journal, slots },
      {
        pid: process.pid,
        version,
        fleet,
        device,
        broker: endpoint.url,
        connected: this.#link.connected,
        dropped: this.#link.dropped,
      },
    )
  }

  async idle(): Promise<void> {
    await this.#desk?.settled()
    await Promise.all([this.#installer.settled(), this.#prober.settled()])
  }

  async close(): Promise<void> {
    this.#leaving.abort()
    await this.#updater?.close()
    this.#outbox.close()
    await this.#closeSocket()
    await this.#checks.close()
    await this.#observer.close()
    await this.#uploads.close()
    await this.idle()
    clearInterval(this.#timekeeper)
    clearInterval(this.#enginesKeeper)
    this.#stopClockWatch()
    await this.#keepTime()
    await this.#link.close()
    this.#writeLeave()
    this.#journal.close()
    await this.#release()
  }

  /** Asked beside the planner, where the settings name one. */
  #otherUpdater(): DdiClient | undefined {
    const { hawkbit, log, memoryLimitBytes } = this.#options
    if (hawkbit === undefined) return undefined
    return new DdiClient({
      ...hawkbit,
      log,
      recipient: new ShippedVariants(this.#context, {
        memoryLimitBytes,
        installer: this.#installer,
      }),
      attributes: async () => targetAttributes(this.#options, await this.#report()),
    })
  }

  #newObserver(captured: CapturedSamples | undefined): Observer {
    const { observeMs = OBSERVE_MS, readHost = async () => UNKNOWN_HOST } = this.#options
    const { slots, ledger, clock, log, stateDir } = this.#context
    return new Observer({
      ...{ stateDir, everyMs: observeMs, captured, clock, log, readHost },
      leaving: this.#leaving.signal,
      current: async (model) => (await slots.links(model)).current,
      sketchPath: (model, variant) => slots.sketchPath(model, variant),
      report: (report) => ledger.commit('report.observed', [], [report]),
      isWaiting: (model) =>
        this.#outbox.some((report) => report.kind === 'observations' && report.model === model),
    })
  }

  #newUploads(captured: CapturedSamples | undefined): SampleUploads {
    const { observeMs = OBSERVE_MS, clock, log } = this.#options
    return new SampleUploads({
      ...{ captured, clock, log, everyMs: Math.min(MOST_UNTOLD_MS, observeMs / 4) },
      tell: (report) => void this.#link.report(report),
      send: (frame) => this.#link.sendSample(frame),
      isBusy: () => !this.#context.measurementLock.open,
    })
  }

  /** Nothing here goes by the wall clock alone; whoever reads the log must know that it moved. */
  #watchClock(): () => void {
    const { clock, log } = this.#options
    if (!isPlausible(clock.now())) {
      log.warn(
        { now: clock.now() },
        'the clock of this device is not set: what the planner says is believed instead; set it for certificates to be judged',
      )
    }
    return watchClock(clock, ({ byMs, now }) => {
      log.warn({ byMs: Math.round(byMs), now }, `the clock was set ${byMs > 0 ? 'ahead' : 'back'}`)
    })
  }

  /** How late it is outlives a restart: a clock that then starts in 1970 makes nothing fresh again. */
  async #keepTime(): Promise<void> {
    await this.#context.trust.keepTime().catch((error) => this.#options.log.warn(messageOf(error)))
  }

  #writeLeave(): void {
    try {
      this.#journal.commit('run.ended', [{ kind: 'run', key: 'agent', value: { clean: true } }])
    } catch (error) {
      // The next start then counts this one as a crash, which costs nothing.
      this.#options.log.warn(messageOf(error))
    }
  }

  async #birth(epoch: Epoch): Promise<Birth> {
    const { version, memoryLimitBytes, acceptsRuntimes, labels = {} } = this.#options
    const { engines } = this.#context
    await engines.refresh()
    const report = await this.#report()
    const proposed = engines.without(await this.#options.findNative(report))
    return {
      v: 1,
      id: newId(),
      epoch,
      agentVersion: version,
      report,
      runtimes: engines.entries,
      ...(engines.unusable.length > 0 && { unusable: engines.unusable }),
      ...(proposed.length > 0 && { proposed }),
      memoryLimitBytes,
      slots: await this.#installedSlots(),
      roots: await this.#context.trust.rootVersions(),
      timeZone: this.#context.timeZone(),
      ...(acceptsRuntimes && { acceptsRuntimes }),
      ...(Object.keys(labels).length > 0 && { labels }),
    }
  }

  /** A library that was replaced is another engine: the planner must hear of it, and measure it anew. */
  async #lookAtEngines(): Promise<void> {
    try {
      if (!(await this.#context.engines.refresh())) return
      this.#tellUnusable()
      this.#options.log.info({ engines: this.#context.engines.all.map(nameOf) }, 'engines changed')
      await this.#link.rebirth()
    } catch (error) {
      this.#options.log.warn(`cannot look for runtimes: ${messageOf(error)}`)
    }
  }

  #tellUnusable(): void {
    for (const { name, path, code, message } of this.#context.engines.unusable)
      this.#options.log.warn({ name, path, code }, `not used: ${message}`)
  }

  /** Caches give way to whatever the planner sends next: to it they are free room. */
  async #report(): Promise<HardwareReport> {
    const report = await this.#options.readHardware()
    const reclaimable = await this.#context.store.reclaimableBytes()
    const freeBytes = report.storage.freeBytes + reclaimable
    return { ...report, storage: { ...report.storage, freeBytes } }
  }

  async #installedSlots(): Promise<Birth['slots']> {
    const { slots } = this.#context
    const installed: Birth['slots'] = []
    for (const model of await slots.models()) {
      const { current } = await slots.links(model)
      for (const variant of await slots.variants(model)) {
        installed.push({ model, variant, active: variant === current })
      }
    }
    return installed.slice(0, 256)
  }
}
