import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from '../../shared/digest.ts'
import { randomOf } from '../planner/formats/tflite/random.ts'
import { BoardBirths, type BoardFacts } from './board-births.ts'
import { Ledger } from './ledger.ts'
import type { Settings } from './settings.ts'
import { type Broker, type Character, SimulatedDevice } from './simulated-device.ts'

export interface CrowdSetup {
  readonly settings: Settings
  readonly broker: Broker
  readonly fleet: string
  readonly anchor: Digest
  readonly boards: readonly BoardFacts[]
  readonly samples: number
  readonly dir: string
}

/** Sockets of one loopback address: the broker bounds them, and the fewer a port is sought among, the sooner it is found. */
const PER_ADDRESS = 250
/**
 * Each run has loopback addresses of its own: the ports of the run before wait for a minute after it (TIME_WAIT), and who looks for a
 * free one among those takes longer than for all else of a birth.
 */
const NET = 1 + (process.pid % 250)
/** One timer for all, in place of some for each. */
const TICK_MS = 1_000

/** All devices of a simulation, in this process. */
export class Crowd {
  readonly ledger = new Ledger()
  readonly devices: readonly SimulatedDevice[]
  readonly #settings: Settings
  readonly #random: () => number
  #ticking: NodeJS.Timeout | undefined

  constructor({ settings, broker, fleet, anchor, boards, samples, dir }: CrowdSetup) {
    this.#settings = settings
    this.#random = randomOf(settings.seed)
    const births = boards.map((facts) => new BoardBirths(facts))
    const isLoopback = broker.host.startsWith('127.')
    this.devices = Array.from({ length: settings.devices }, (_, index) => {
      const id = `d${String(index).padStart(6, '0')}`
      const ofBoard = births[index % births.length]
      if (!ofBoard) throw new Error('no boards')
      return new SimulatedDevice({
        ...{ id, fleet, broker, births: ofBoard, anchor, samples, ledger: this.ledger },
        localAddress: isLoopback ? addressOf(index) : undefined,
        username: settings.broker === undefined ? undefined : `${fleet}/${id}`,
        character: this.#character(index),
        dir: join(dir, id),
        probeMs: settings['probe-ms'],
        installMs: settings['install-ms'],
      })
    })
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Everybody connects, so many at a time; resolves when every birth has its receipt. */
  async connect(): Promise<void> {
    const waiting = this.devices.filter((device) => !device.isUp)
    let next = 0
    let born = 0
    await this.#within('births', (done) => {
      const startNext = () => waiting[next++]?.start()
      for (const device of waiting) {
        device.onBorn = () => {
          device.onBorn = undefined
          born += 1
          if (born === waiting.length) done()
          else startNext()
        }
      }
      for (let i = 0; i < this.#settings.connecting; i += 1) startNext()
      if (waiting.length === 0) done()
    })
  }

  /** All sockets break at once, and come back by themselves within a second and a half. */
  async storm(): Promise<void> {
    const hearing = this.hearing
    let born = 0
    await this.#within('storm', (done) => {
      for (const device of hearing) {
        device.onBorn = () => {
          device.onBorn = undefined
          born += 1
          if (born === hearing.length) done()
        }
      }
      for (const device of this.devices) device.break()
    })
  }

  /** Devices leave and come back, evenly over time, until it is stopped. */
  async churn(signal: AbortSignal): Promise<void> {
    const perSecond = (this.#settings.churn * this.devices.length) / 60
    if (perSecond === 0) return
    while (!signal.aborted) {
      const device = this.devices[Math.floor(this.#random() * this.devices.length)]
      device?.leave()
      setTimeout(() => device?.start(), 1_000 + 10_000 * this.#random())
      await sleep(1_000 / perSecond)
    }
  }

  /** Who reads what it is sent, to the end. */
  get hearing(): readonly SimulatedDevice[] {
    return this.devices.filter(({ setup }) => setup.character.freezes === undefined)
  }

  get hasFrozen(): boolean {
    return this.hearing.length < this.devices.length
  }

  /** From here on the one half reads nothing; the other half stops once it has asked for blocks. */
  freeze(): void {
    for (const device of this.devices) {
      if (device.setup.character.freezes === 'when-told') device.freeze()
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking)
    for (const device of this.devices) device.stop()
    await sleep(10)
  }

  #character(index: number): Character {
    const { verify, downloads, slow, frozen, liars, chatty, pull } = this.#settings
    const drawn = {
      verifies: this.#random() < verify,
      downloads: this.#random() < downloads,
      isSlow: this.#random() < slow,
      freezes: this.#random() < frozen ? freezing(index) : undefined,
      isLiar: this.#random() < liars,
      isChatty: index >= this.#settings.devices - chatty,
    }
    return { ...drawn, pulls: this.#random() < pull }
  }

  #tick(): void {
    const now = performance.now()
    for (const device of this.devices) device.tick(now)
  }

  async #within(what: string, run: (done: () => void) => void): Promise<void> {
    const { patience } = this.#settings
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${what}: not done after ${patience} s`)),
        patience * 1000,
      )
    })
    try {
      await Promise.race([new Promise<void>(run), late])
    } finally {
      clearTimeout(timer)
    }
  }
}

function freezing(index: number): Character['freezes'] {
  return index % 2 === 0 ? 'when-told' : 'amid'
}

function addressOf(index: number): string {
  const at = Math.floor(index / PER_ADDRESS)
  return `127.${NET}.${1 + Math.floor(at / 250)}.${1 + (at % 250)}`
}
