import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fillUp } from '../agent/small-disk.ts'
import { below, pick, type Random } from '../planner/formats/tflite/random.ts'
import type { Device } from './device.ts'
import type { Fleet } from './fleet.ts'
import type { Death, Program } from './program.ts'
import type { Tally } from './tally.ts'

/** Pause between two blows, ms, at most. */
const PAUSE_MS = 12_000
/** How long one lasts, ms, at most, and at least. */
const LASTS_MS = 8_000
const LEAST_MS = 2_000
/** A second agent is given up then, ms: on a busy machine it takes long before it says anything. */
const INTRUDER_MS = 120_000
const POLL_MS = 100

const HOUR_S = 3600
/** Of agents: the years before their battery was empty, a mistaken year, and what time servers correct. */
const AGENT_JUMPS_S = [-20 * 365 * 24 * HOUR_S, 400 * 24 * HOUR_S, -2 * HOUR_S, 2 * HOUR_S]
/** Of a planner: days ahead it signs what no clock makes good by itself (`test/stories/wrong-clock.test.ts`). */
const PLANNER_JUMPS_S = [-HOUR_S, 6 * HOUR_S]

/** In the log of an agent that has its state directory. */
const RUNS = /"agent started"/

type BlowName = 'clock' | 'full-disk' | 'namespace' | 'clone'

/** What a machine suffers beside sudden death, one blow at a time; each is over when it returns. */
export class Blows {
  readonly #fleet: Fleet
  readonly #random: Random
  readonly #tally: Tally
  readonly #over = new AbortController()
  /** Whose disk has no room now, and who shares a state directory now: what they say then is as it should be. */
  readonly #full = new Set<Program>()
  readonly #shared = new Set<Program>()
  #done: Promise<void> | undefined

  constructor(fleet: Fleet, random: Random, tally: Tally) {
    this.#fleet = fleet
    this.#random = random
    this.#tally = tally
  }

  start(): void {
    this.#done = this.#run()
  }

  /** Resolves when the last one is over. */
  async stop(): Promise<void> {
    this.#over.abort()
    await this.#done
  }

  /** Whether nothing may be written to its disk, by the soak either. */
  isFull(program: Program): boolean {
    return this.#full.has(program)
  }

  /** Whether it may have ended by itself: with the one line that says what we did to it. */
  explains(program: Program, { code }: Death): boolean {
    if (code !== 1) return false
    const words = program.lastWords()
    if (this.#shared.has(program)) return /error \[already-running\]/.test(words)
    return this.#full.has(program) && /error \[[a-z-]+\]: [^|]*(?:no room|full|ENOSPC)/.test(words)
  }

  async #run(): Promise<void> {
    const blows: Record<BlowName, (ms: number) => Promise<void>> = {
      clock: (ms) => this.#clock(ms),
      'full-disk': (ms) => this.#fullDisk(ms),
      namespace: () => this.#namespace(),
      clone: (ms) => this.#clone(ms),
    }
    const possible = Object.keys(blows) as BlowName[]
    while (!this.#over.signal.aborted) {
      await this.#lasting(below(this.#random, PAUSE_MS))
      if (this.#over.signal.aborted) return
      const name = pick(this.#random, possible)
      await blows[name](LEAST_MS + below(this.#random, LASTS_MS - LEAST_MS))
      this.#tally.blow(name)
    }
  }

  /** Jumps one way, and back. */
  async #clock(ms: number): Promise<void> {
    const isPlanner = below(this.#random, 4) === 0
    const program = isPlanner ? this.#fleet.planner : this.#device().program
    program.setClock(pick(this.#random, isPlanner ? PLANNER_JUMPS_S : AGENT_JUMPS_S))
    await this.#lasting(ms)
    program.setClock(0)
  }

  async #fullDisk(ms: number): Promise<void> {
    const isPlanner = below(this.#random, 3) === 0
    const device = this.#device()
    const [program, disk] = isPlanner
      ? [this.#fleet.planner, this.#fleet.data]
      : [device.program, device.stateDir]
    if (!this.#fleet.hasDisks) return
    const filler = join(disk, 'filler')
    this.#full.add(program)
    fillUp(filler)
    await this.#lasting(ms)
    rmSync(filler)
    // It may be about to say so.
    await this.#lasting(1_000)
    this.#full.delete(program)
  }

  /** A second agent on the state directory, in a network of its own: it must not run beside the first. */
  async #namespace(): Promise<void> {
    const device = this.#device()
    const { program } = device
    const first = program.pid
    this.#shared.add(program)
    const intruder = spawn('unshare', ['-n', process.execPath, ...program.line], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    intruder.stderr.on('data', (text) => {
      said += text
    })
    const isFirstStill = () => first !== undefined && program.pid === first
    const isDecided = () => intruder.exitCode !== null || !isFirstStill() || RUNS.test(said)
    for (let ms = 0; ms < INTRUDER_MS && !isDecided(); ms += POLL_MS) await this.#lasting(POLL_MS)
    // The first may have been on its way only: then it is the one that ends.
    if (isFirstStill() && RUNS.test(program.saidInThisLife()) && RUNS.test(said)) {
      this.#tally.violate(
        `two agents ran on the state directory of ${device.id}: ${said.slice(-300)}`,
      )
    }
    await killed(intruder)
    // Who began meanwhile may be about to say so.
    await this.#lasting(1_000)
    this.#shared.delete(program)
  }

  /** A copy of its card in another machine: it talks as the device for a while, and goes for good. */
  async #clone(ms: number): Promise<void> {
    const device = this.#device()
    const copy = `${device.stateDir}-clone`
    try {
      cpSync(device.stateDir, copy, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !/\.sock|\/filler$|\.lock/.test(path),
      })
    } catch {
      // A file went while it was copied: no card to put anywhere.
      return rmSync(copy, { recursive: true, force: true })
    }
    const clone = spawn(process.execPath, this.#fleet.cloneLine(device, copy), { stdio: 'ignore' })
    await this.#ended(clone, ms)
    await killed(clone)
    rmSync(copy, { recursive: true, force: true })
  }

  #device(): Device {
    return pick(this.#random, this.#fleet.devices)
  }

  async #lasting(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {})
  }

  async #ended(child: ChildProcess, ms: number): Promise<void> {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    await Promise.race([gone, this.#lasting(ms)])
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
