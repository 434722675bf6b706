import { setTimeout as sleep } from 'node:timers/promises'
import { below, type Random } from '../planner/formats/tflite/random.ts'
import { agentAmbush, loopAmbush, plannerAmbush } from './ambush.ts'
import type { Blows } from './blows.ts'
import type { Device } from './device.ts'
import type { Fleet } from './fleet.ts'
import { checkReceipts } from './ledger-check.ts'
import type { Death, Program } from './program.ts'
import type { Role, Tally } from './tally.ts'

/** Longest pause between a death and the next start, ms. */
const DEAD_MS = 300
/** Mean lives in agents' lives: who others wait for lives longer, or nothing would ever go on. */
const LIVES: Readonly<Record<Role, number>> = { agent: 1, planner: 2, broker: 3 }
/** Of so many lives one is left to chance; the others are to end at a fail point. */
const BY_CHANCE_ONE_IN = 4
/** Of agents' and planners' lives by chance, so many end before they are known to be up, within their first moments. */
const EARLY_ONE_IN = 4
const EARLY_MS = 1_000
/** Who does not come to its fail point is killed after so many mean lives all the same. */
const AMBUSH_LIVES = 2
/** Who is not up by then is killed, ms: on a busy machine starting takes long, and nothing happens without a planner. */
const UP_MS = 60_000
/** Time to leave in order, for who was asked to, ms. */
const LEAVE_MS = 5_000
const POLL_MS = 50
/** Of so many starts one is of a device whose slot was spoiled meanwhile. */
const SPOILED_ONE_IN = 6
/** Of so many agents' lives one begins a crash loop: deaths at one place until the agent must have noticed. */
const LOOP_ONE_IN = 60
const LOOP_LIVES = 7
/** Where a variant that the device does not survive would kill it, again and again. */
const CRASH_LOOP = 'install.active.before'

/** Kills at random, starts again whatever died, and looks at what the dead leave behind. */
export class Chaos {
  readonly #fleet: Fleet
  readonly #random: Random
  readonly #tally: Tally
  readonly #lifeMs: number
  readonly #blows: Blows
  /** Time an agent lately took to come up: on a busy machine everything takes longer, and lives do too. */
  #upMs = 0
  readonly #lives: Promise<void>[]
  /** Those we killed ourselves: other deaths are at fail points. */
  readonly #aimedAt = new Set<Program>()
  readonly #loops = new Map<Program, { readonly point: string; left: number }>()
  #phase: 'killing' | 'calm' | 'over' = 'killing'
  #looping: Device | undefined

  constructor(fleet: Fleet, random: Random, tally: Tally, lifeMs: number, blows: Blows) {
    this.#blows = blows
    this.#fleet = fleet
    this.#random = random
    this.#tally = tally
    this.#lifeMs = lifeMs
    this.#lives = fleet.programs.map((program) => this.#live(program))
  }

  /** Resolves when so many were killed, or somebody has seen enough; all blows are over by then. */
  async run(kills: number, enough: AbortSignal, calmDown: () => Promise<void>): Promise<void> {
    for (let told = 0; this.#tally.killed < kills && !enough.aborted; await sleep(POLL_MS)) {
      if (this.#tally.killed < told + 50) continue
      told = this.#tally.killed
      const { installs, receipted } = this.#fleet.witness
      const pace = (this.#tally.seconds / told).toFixed(2)
      console.log(`${told} kills, ${pace} s each; ${installs} installs, ${receipted} receipts`)
    }
    await calmDown()
    this.#phase = 'calm'
    this.#loops.clear()
    this.#tally.calm()
    // Nobody who is still to die somewhere goes into the calm.
    for (const program of this.#fleet.programs) if (program.failPoint !== '') this.#kill(program)
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
    const isAmbush = program.failPoint !== ''
    // Without a broker nothing happens at all.
    const mayBeEarly = !isAmbush && program.role !== 'broker'
    const isEarly = mayBeEarly && below(this.#random, EARLY_ONE_IN) === 0
    const isUp = isEarly ? () => Promise.resolve(true) : this.#fleet.upProbe(program)
    const started = performance.now()
    while (!ended.aborted && performance.now() - started < UP_MS && !(await isUp())) {
      await sleep(POLL_MS)
    }
    if (program.role === 'agent' && !isEarly && !ended.aborted) {
      this.#upMs += (performance.now() - started - this.#upMs) / 8
    }
    const mean = isEarly ? EARLY_MS / 2 : LIVES[program.role] * (this.#lifeMs + this.#upMs)
    const life = mean * (isAmbush ? AMBUSH_LIVES : 2 * this.#random())
    if (program.failPoint.startsWith('run.ended.') && (await isUp())) {
      await lasting(this.#lifeMs * this.#random(), ended)
      if (!ended.aborted && this.#phase === 'killing') program.kill('SIGTERM')
      await lasting(LEAVE_MS, ended)
    } else await lasting(life, ended)
    if (!ended.aborted && this.#phase === 'killing') this.#kill(program)
  }

  #bury(program: Program, death: Death): void {
    const { signal, code } = death
    const { role, name, failPoint } = program
    if (signal === 'SIGKILL') {
      this.#tally.kills[role] += 1
      if (!this.#aimedAt.delete(program)) this.#tally.diedAt(role, nameOf(failPoint))
    } else if (this.#blows.explains(program, death)) {
      this.#tally.explained += 1
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
    const hasRoom = !this.#blows.isFull(device.program)
    const mayBeSpoiled =
      this.#phase === 'killing' && !device.isSpoiled && fault === undefined && hasRoom
    if (!mayBeSpoiled || below(this.#random, SPOILED_ONE_IN) > 0) return
    if (device.spoil(this.#random)) this.#tally.spoiled += 1
  }

  #failPointOf(program: Program): string {
    if (program === this.#looping?.program) return CRASH_LOOP
    if (this.#phase !== 'killing' || program.role === 'broker') return ''
    const deaths = (point: string) => this.#tally.deathsAt(program.role, point)
    const isByChance = below(this.#random, BY_CHANCE_ONE_IN) === 0
    if (program.role === 'planner') return isByChance ? '' : plannerAmbush(this.#random, deaths)
    const loop = this.#loopOf(program)
    if (loop !== undefined) return loop
    const device = this.#fleet.devices.find((one) => one.program === program)
    if (isByChance || device === undefined) return ''
    return agentAmbush(this.#random, device.outlook(), deaths)
  }

  #loopOf(program: Program): string | undefined {
    const present = this.#loops.get(program)
    const starts = !present && below(this.#random, LOOP_ONE_IN) === 0
    const loop = starts ? { point: loopAmbush(this.#random), left: LOOP_LIVES } : present
    if (loop === undefined) return undefined
    loop.left -= 1
    if (loop.left > 0) this.#loops.set(program, loop)
    else this.#loops.delete(program)
    return loop.point
  }
}

/** `report.settled.after#2` is the place `report.settled.after`. */
function nameOf(failPoint: string): string {
  return failPoint.replace(/#.*$/, '')
}

/** So long, or until the life is over. */
async function lasting(ms: number, ended: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: ended }).catch(() => {})
}
