/** One model for one class. */
export interface PipelineName {
  readonly model: string
  readonly class: string
}

/** What is to be looked at now, each thing once however often something happened to it. */
export interface Due {
  /** Nothing in particular: all there is, in pages. */
  readonly everything: boolean
  /** Time went by, or a build ended: pipelines that are not settled. */
  readonly clocks: boolean
  readonly pipelines: readonly PipelineName[]
  /** Devices that came, went, or said that they run something else. */
  readonly devices: readonly string[]
  /** Rollouts whose members, class or state changed. */
  readonly rollouts: readonly string[]
  /** What is released may not be all that open rollouts want. */
  readonly releases: boolean
  /** Withdrawn devices may wait for an order. */
  readonly returns: boolean
  /** Devices that may lack a package of a runtime. */
  readonly packages: readonly string[]
}

/** Who is told, as it happens, which things the conductor will look at. */
export interface AgendaWatcher {
  device(id: string): void
  pipeline(name: PipelineName): void
  rollout(id: string): void
}

/**
 * What happened names what to look at, so that work goes with what changes and not with how much there is. It is a hint and
 * no memory: what it loses, in a crash or by a mistake, the next sweep over everything finds.
 */
export class Agenda {
  #everything = false
  #clocks = false
  #releases = false
  #returns = false
  #packages = new Set<string>()
  #pipelines = new Map<string, PipelineName>()
  #devices = new Set<string>()
  #rollouts = new Set<string>()
  readonly #watchers = new Set<AgendaWatcher>()

  /** What is returned ends it. */
  watch(watcher: AgendaWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  everything(): void {
    this.#everything = true
  }

  clocks(): void {
    this.#clocks = true
  }

  pipeline({ model, class: classId }: PipelineName): void {
    this.#pipelines.set(`${model} ${classId}`, { model, class: classId })
    for (const watcher of this.#watchers) watcher.pipeline({ model, class: classId })
  }

  device(id: string): void {
    this.#devices.add(id)
    for (const watcher of this.#watchers) watcher.device(id)
  }

  rollout(id: string): void {
    this.#rollouts.add(id)
    for (const watcher of this.#watchers) watcher.rollout(id)
  }

  releases(): void {
    this.#releases = true
  }

  returns(): void {
    this.#returns = true
  }

  packages(device: string): void {
    this.#packages.add(device)
  }

  /** Asked for since the last `take`: within a look, a rollout that begins must be released before it moves. */
  get wantsReleases(): boolean {
    return this.#releases
  }

  get isEmpty(): boolean {
    const flags = [this.#everything, this.#clocks, this.#releases, this.#returns]
    const sets = [this.#pipelines, this.#devices, this.#rollouts, this.#packages]
    return !flags.includes(true) && sets.every(({ size }) => size === 0)
  }

  /** All of it; what comes from here on is for the next look. */
  take(): Due {
    const due: Due = {
      everything: this.#everything,
      clocks: this.#clocks,
      releases: this.#releases,
      returns: this.#returns,
      packages: [...this.#packages],
      pipelines: [...this.#pipelines.values()],
      devices: [...this.#devices],
      rollouts: [...this.#rollouts],
    }
    this.#everything = false
    this.#clocks = false
    this.#releases = false
    this.#returns = false
    this.#packages = new Set()
    this.#pipelines = new Map()
    this.#devices = new Set()
    this.#rollouts = new Set()
    return due
  }

  /** A look that failed half way, or what another planner saw: all of it once more. */
  putBack(due: Due): void {
    if (due.everything) this.everything()
    if (due.clocks) this.clocks()
    if (due.releases) this.releases()
    if (due.returns) this.returns()
    for (const device of due.packages) this.packages(device)
    for (const pipeline of due.pipelines) this.pipeline(pipeline)
    for (const device of due.devices) this.device(device)
    for (const rollout of due.rollouts) this.rollout(rollout)
  }
}
