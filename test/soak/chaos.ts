import { setTimeout as sleep } from 'node:timers/promises'
import { failPointNames } from '../../agent/daemon/commit-names.ts'
import { failPointNames as plannerFailPoints } from '../../planner/conductor/index.ts'
import { below, pick, type Random } from '../planner/formats/tflite/random.ts'
import type { Device } from './device.ts'
import type { Fleet } from './fleet.ts'
import { checkReceipts } from './ledger-check.ts'
import type { Death, Program } from './program.ts'
import type { Role, Tally } from './tally.ts'

/** Longest pause between a death and the next start, ms. */
const DEAD_MS = 500
/** Mean lives in agents' lives: who others wait for lives longer, or nothing would ever go on. */
const LIVES: Readonly<Record<Role, number>> = { agent: 1, planner: 3, broker: 4 }
/** Of so many lives one ends before it is known to be up, within its first moments. */
const EARLY_ONE_IN = 4
const EARLY_MS = 1_000
/** Who is not up by then is killed all the same, ms. */
const UP_MS = 20_000
const POLL_MS = 50
/** Of so many starts one is of a device whose slot was spoiled meanwhile. */
const SPOILED_ONE_IN = 6
/** What the stream makes each pass; of starts half are armed. */
const PASSED = /^(install|slot|run\.started|report|order\.repeated|assignment|birth|death|rollout)/
const FAIL_POINTS: Readonly<Record<Role, readonly string[]>> = {
  agent: failPointNames().filter((name) => PASSED.test(name)),
  planner: plannerFailPoints().filter((name) => PASSED.test(name)),
  broker: [],
}
/** Where a variant that the device does not survive would kill it, again and again. */
const CRASH_LOOP = 'install.active.before'

/** Kills at random, starts again whatever died, and looks at what the dead leave behind. */
export class Chaos {
  readonly #fleet: Fleet
  readonly #random: Random
  readonly #tally: Tally
  readonly #lifeMs: number
  /** Time an agent lately took to come up: on a busy machine everything takes longer, and lives do too. */
  #upMs = 0
  readonly #lives: Promise<void>[]
  /** Those we killed ourselves: other deaths are at fail points. */
  readonly #aimedAt = new Set<Program>()
  #phase: 'killing' | 'calm' | 'over' = 'killing'
  #looping: Device | undefined

  constructor(fleet: Fleet, random: Random, tally: Tally, lifeMs: number) {
    this.#fleet = fleet
    this.#random = random
    this.#tally = tally
    this.#lifeMs = lifeMs
    this.#lives = fleet.programs.map((program) => this.#live(program))
  }

  /** Resolves when so many were killed, or somebody has seen enough. */
  async run(kills: number, enough: AbortSignal): Promise<void> {
    for (let told = 0; this.#tally.killed < kills && !enough.aborted; await sleep(POLL_MS)) {
      if (this.#tally.killed < told + 50) continue
      told = this.#tally.killed
      const { installs, receipted } = this.#fleet.witness
      const pace = (this.#tally.seconds / told).toFixed(2)
      console.log(`${told} kills, ${pace} s each; ${installs} installs, ${receipted} receipts`)
    }
    this.#phase = 'calm'
  }

  /** From its next start on the device dies whenever it is about to call a variant active; undefined: no more. */
  loop(device: Device | undefined): void {
    const before = this.#looping
    this.#looping = device
    for (const one of [before, device]) if (one) this.#kill(one.program)
  }

  /** Whatever ends from here on is not started again. */
  over(): void {
    this.#phase = 'over'
  }

  async buried(): Promise<void> {
    await Promise.all(this.#lives)
  }

  #kill(program: Program): void {
    if (!program.isRunning) return
    this.#aimedAt.add(program)
    program.kill()
  }

  /** From one death to the next. */
  async #live(program: Program): Promise<void> {
    for (;;) {
      const end = new AbortController()
      const killer = this.#endLife(program, end.signal)
      const death = await program.ended
      end.abort()
      await killer
      if (this.#phase === 'over') return
      this.#bury(program, death)
      await sleep(below(this.#random, DEAD_MS))
      program.start(this.#failPointOf(program))
    }
  }

  /** Lets it come up, most times, and live for a while: so that death finds it at work. */
  async #endLife(program: Program, ended: AbortSignal): Promise<void> {
    const isEarly = below(this.#random, EARLY_ONE_IN) === 0
    const isUp = isEarly ? () => Promise.resolve(true) : this.#fleet.upProbe(program)
    const started = performance.now()
    while (!ended.aborted && performance.now() - started < UP_MS && !(await isUp())) {
      await sleep(POLL_MS)
    }
    if (program.role === 'agent' && !isEarly && !ended.aborted) {
      this.#upMs += (performance.now() - started - this.#upMs) / 8
    }
    const mean = isEarly ? EARLY_MS / 2 : LIVES[program.role] * (this.#lifeMs + this.#upMs)
    const life = 2 * mean * this.#random()
    await sleep(life, undefined, { signal: ended }).catch(() => {})
    if (!ended.aborted && this.#phase === 'killing') this.#kill(program)
  }

  #bury(program: Program, { signal, code }: Death): void {
    const { role, name } = program
    if (signal === 'SIGKILL') {
      this.#tally.kills[role] += 1
      if (!this.#aimedAt.delete(program)) this.#tally.atFailPoints[role] += 1
    } else {
      this.#tally.violate(`${name} ended by itself (${signal ?? code}): ${program.lastWords()}`)
    }
    const device = this.#fleet.devices.find((one) => one.program === program)
    if (device !== undefined) this.#look(device)
    if (role === 'planner') checkReceipts(this.#fleet.data, this.#fleet.witness, this.#tally)
  }

  #look(device: Device): void {
    this.#tally.looks += 1
    const { fault } = device.look()
    if (fault !== undefined && !device.isSpoiled) this.#tally.violate(`${device.id}: ${fault}`)
    const mayBeSpoiled = this.#phase === 'killing' && !device.isSpoiled && fault === undefined
    if (mayBeSpoiled && below(this.#random, SPOILED_ONE_IN) === 0 && device.spoil(this.#random)) {
      this.#tally.spoiled += 1
    }
  }

  #failPointOf(program: Program): string {
    if (program === this.#looping?.program) return CRASH_LOOP
    const points = FAIL_POINTS[program.role]
    const isArmed = this.#phase === 'killing' && points.length > 0 && below(this.#random, 2) === 0
    return isArmed ? `${pick(this.#random, points)}#${1 + below(this.#random, 2)}` : ''
  }
}
