import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectPlanner, type PlannerClient, type RolloutStatus } from '../../planner/api/index.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'

export const MODEL = 'motor'
/** Longest the operator waits for devices to arrive before it takes the new variant back, ms. */
const FORWARD_MS = 6_000
/** And for them to be back: who is not has nothing to go back to until the next swap. */
const BACK_MS = 12_000
/** Longest it waits for planning and devices after a swap, ms. */
const SWAP_MS = 15_000
/** Of so many turns one begins with the other revision; in between, an abort takes back what a start brought. */
const SWAP_ONE_IN = 3
/** So few that one variant is left to build: which one is chosen does not hang on who was killed. */
const ONE_VARIANT_BYTES = 70_000
const POLL_MS = 250
const MOST_TRIES = 100

export type Revision = 1 | 2

/** Plans and rolls out as a person would, through the planner's own door, whether or not it is there. */
export class Operator {
  readonly planner: PlannerClient
  readonly #dir: string
  #revision: Revision = 2

  constructor(data: string, dir: string) {
    this.planner = connectPlanner(data)
    this.#dir = dir
  }

  /** What was registered last: rollouts bring its variants. */
  get revision(): Revision {
    return this.#revision
  }

  /** Registers the revision, plans it, and rolls it out to all. @throws where that did not come to its end */
  async setUp(revision: Revision): Promise<void> {
    await this.register(revision)
    const status = await this.start(true)
    const open = status.rollouts.filter(({ state }) => state !== 'done')
    if (open.length > 0 || status.pending.length > 0) {
      throw new Error(`the fleet could not be set up: ${JSON.stringify(status)}`)
    }
  }

  /** The other revision: planned and measured once more, so that every device has somewhere to go. */
  async swap(signal?: AbortSignal): Promise<void> {
    const other = this.#revision === 1 ? 2 : 1
    await this.ask(() => this.register(other), signal)
    await this.ask(() => this.start(), signal)
  }

  async register(revision: Revision): Promise<void> {
    const test = join(this.#dir, 'test.npz')
    if (!existsSync(test)) writeFileSync(test, await fewSamples('test', 20))
    const source = join(this.#dir, `model-${revision}.tflite`)
    writeFileSync(source, trainedAgain(revision))
    const upload = async (name: string) => ({ digest: await this.planner.upload(name), name })
    await this.planner.call('models.add', {
      name: MODEL,
      source: await upload(source),
      calibration: null,
      test: await upload(test),
      objective: 'size',
      constraints: {
        maxAccuracyDrop: 1,
        maxLatencyMs: null,
        maxMemoryBytes: null,
        maxBytes: ONE_VARIANT_BYTES,
      },
    })
    this.#revision = revision
  }

  /** To all devices at once; a crash loop of one shall not stop the others. */
  start(wait = false): Promise<RolloutStatus> {
    return this.planner.call('rollout.start', {
      model: MODEL,
      waves: [{ share: 1 }],
      gate: { successShare: 0.01, failureThreshold: 1, minimumSample: 1000 },
      approval: false,
      revert: true,
      wait,
      acceptNoise: true,
    })
  }

  /** Devices get back what they ran before. */
  abort(): Promise<RolloutStatus> {
    return this.planner.call('rollout.abort', { model: MODEL })
  }

  /** There and back again, until it is told to stop. Whoever was killed meanwhile is asked again. */
  async stream(signal: AbortSignal): Promise<number> {
    let turns = 0
    for (; !signal.aborted; turns += 1) {
      if (turns % SWAP_ONE_IN === 0) {
        await this.swap(signal)
        await this.everyDevice((state) => state === 'active', SWAP_MS, signal)
      } else {
        await this.ask(() => this.start(), signal)
        await this.everyDevice((state) => state === 'active', FORWARD_MS, signal)
      }
      await this.ask(() => this.abort(), signal)
      await this.everyDevice((state) => state !== 'reverting', BACK_MS, signal)
    }
    return turns
  }

  /** True once every member of the newest rollouts is in such a state; false when time is over. */
  async everyDevice(
    isThere: (state: string) => boolean,
    patienceMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + patienceMs
    while (performance.now() < deadline && !signal?.aborted) {
      const status = await this.status()
      const members = status?.rollouts.flatMap(({ devices }) => devices) ?? []
      const waiting = status?.rollouts.some(({ outside }) => outside.online + outside.offline > 0)
      if (members.length > 0 && !waiting && members.every(({ state }) => isThere(state)))
        return true
      await sleep(POLL_MS)
    }
    return false
  }

  status(): Promise<RolloutStatus | undefined> {
    return this.planner.call('rollout.status', { model: MODEL }).catch(() => undefined)
  }

  /** Until there is an answer; a refusal (nothing to abort, started already) is an answer too. */
  async ask(what: () => Promise<unknown>, signal?: AbortSignal): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && !signal?.aborted; tries += 1) {
      try {
        await what()
        return
      } catch (error) {
        if (!isAway(error)) return
        await sleep(POLL_MS)
      }
    }
  }
}

/** The demo's model with a few weights moved, somewhere in the middle of the file: another file in every scheme. */
function trainedAgain(revision: Revision): Buffer {
  const bytes = readFileSync(SMALL_MODEL)
  const middle = (bytes.length >> 1) & ~0xf
  for (let weight = 0; weight < 64; weight += 1) {
    const at = middle + 4 * weight + 2
    bytes.writeUInt8(bytes.readUInt8(at) ^ (revision << 4), at)
  }
  return bytes
}

function isAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'no-planner'
}
