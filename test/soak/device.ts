import {
  existsSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { slotSchema } from '../../agent/artifacts/slot.ts'
import { readJournal } from '../../agent/daemon/journal/journal.ts'
import { digestOf } from '../../shared/digest.ts'
import { messageOf } from '../../shared/errors.ts'
import { below, type Random } from '../planner/formats/tflite/random.ts'
import type { Outlook } from './ambush.ts'
import { MODEL, type Revision } from './operator.ts'
import type { Program } from './program.ts'

/** A device of the soak: its program, its disk, and what may be on it. */
export class Device {
  readonly program: Program
  readonly stateDir: string
  /** Digests of the variants that were ever chosen for it, by revision; empty until the fleet is set up. */
  readonly allowed = new Set<string>()
  /** Its active slot was spoiled by the soak itself: nothing is expected until the agent has said birth again. */
  isSpoiled = false
  births = 0

  constructor(program: Program, stateDir: string) {
    this.program = program
    this.stateDir = stateDir
  }

  variantOf(revision: Revision): string | undefined {
    return [...this.allowed][revision - 1]
  }

  get id(): string {
    return this.program.name
  }

  /** What a device that boots now would run. Undefined: nothing; `fault`: what must never be. */
  look(): { readonly variant?: string; readonly fault?: string } {
    try {
      return this.#look()
    } catch (error) {
      return { fault: `current cannot be read: ${messageOf(error)}` }
    }
  }

  #look(): { readonly variant?: string; readonly fault?: string } {
    const link = join(this.#slots, 'current')
    if (!existsSync(link)) return { fault: 'no model in current' }
    const variant = readlinkSync(link)
    const file = fileIn(link)
    if (file === undefined) return { fault: `current is ${variant}, which holds no model` }
    if (digestOf(readFileSync(file)) !== variant) {
      return { fault: `current is ${variant}, whose bytes are others` }
    }
    const slot = slotSchema.parse(JSON.parse(readFileSync(join(link, 'slot.json'), 'utf8')))
    const isRight = slot.variant === variant && slot.model === MODEL && this.allowed.has(variant)
    return isRight ? { variant } : { fault: `current is ${variant}, which is not for this device` }
  }

  outlook(): Outlook {
    const path = join(this.stateDir, 'journal')
    const journal = readJournal(path)
    return {
      job: journal.get('installation', MODEL),
      probes: journal.all('probe').map(({ step }) => step),
      hasQueued: journal.get('queued', MODEL) !== undefined,
      isSpoiled: this.isSpoiled,
      isAlone: !isGood(join(this.#slots, 'previous')),
      unconfirmed: journal.keys('report').length,
      journalBytes: statSync(path).size,
    }
  }

  modelFile(): string | undefined {
    return fileIn(join(this.#slots, 'current'))
  }

  /**
   * Spoils an installed variant as a bad block of the flash would, where there is another to fall back to, or
   * a spare copy, and nothing is under way: two faults at once are not survived by anybody. False: nothing was done.
   */
  spoil(random: Random): boolean {
    const job = readJournal(join(this.stateDir, 'journal')).get('installation', MODEL)
    const current = join(this.#slots, 'current')
    if (job?.step !== 'active' || !isGood(current)) return false
    const spare = join(this.#slots, `${readlinkSync(current)}.spare`)
    const other = [join(this.#slots, 'previous'), spare].find((slot) => isGood(slot))
    if (other === undefined) return false
    const isCurrent = below(random, 2) === 0
    const victim = isCurrent ? current : other
    this.isSpoiled = isCurrent
    if (below(random, 2) === 0) rmSync(realpathSync(victim), { recursive: true })
    else spoilFile(fileIn(victim), random)
    return true
  }

  get #slots(): string {
    return join(this.stateDir, 'slots', MODEL)
  }
}

/** In place: a download that the slot was linked from is spoiled with it, as on a bad disk. */
function spoilFile(file: string | undefined, random: Random): void {
  if (file === undefined) return
  const bytes = readFileSync(file)
  bytes.writeUInt8((bytes[0] ?? 0) ^ 0xff, below(random, bytes.length))
  writeFileSync(file, bytes)
}

/** Of a slot, a spare copy, or a link to a slot. */
function isGood(slot: string): boolean {
  const file = fileIn(slot)
  if (file === undefined) return false
  return digestOf(readFileSync(file)) === basename(realpathSync(slot)).slice(0, 64)
}

function fileIn(slot: string): string | undefined {
  return ['model.tflite', 'model.onnx']
    .map((name) => join(slot, name))
    .find((path) => existsSync(path))
}
