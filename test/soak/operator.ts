import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectPlanner, type PlannerClient, type RolloutStatus } from '../../planner/api/index.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { MODEL } from './device.ts'

/** Longest the operator waits for devices to arrive before it takes the new variant back, ms. */
const FORWARD_MS = 6_000
/** And for them to be back: who is not has nothing to go back to in the next turn. */
const BACK_MS = 60_000
const POLL_MS = 250
const MOST_TRIES = 100

/** Plans and rolls out as a person would, through the planner's own door, whether or not it is there. */
export class Operator {
  readonly planner: PlannerClient
  readonly #dir: string
  #revisions = 0

  constructor(data: string, dir: string) {
    this.planner = connectPlanner(data)
    this.#dir = dir
  }

  /** Registers a revision whose variants differ from every other's, plans it, and rolls it out. */
  async addRevision(): Promise<void> {
    this.#revisions += 1
    const data = (of: 'calibration' | 'test') => join(this.#dir, `${of}-${this.#revisions}.npz`)
    writeFileSync(data('calibration'), await fewSamples('calibration', 8))
    writeFileSync(data('test'), await fewSamples('test', 20))
    const source = join(this.#dir, `model-${this.#revisions}.tflite`)
    writeFileSync(source, trainedAgain(this.#revisions))
    const upload = async (name: string) => ({ digest: await this.planner.upload(name), name })
    await this.planner.call('models.add', {
      name: MODEL,
      source: await upload(source),
      calibration: await upload(data('calibration')),
      test: await upload(data('test')),
      objective: 'size',
      constraints: {
        maxAccuracyDrop: 1,
        maxLatencyMs: null,
        maxMemoryBytes: null,
        maxBytes: null,
      },
    })
    const status = await this.start(true)
    const open = status.rollouts.filter(({ state }) => state !== 'done')
    if (open.length > 0 || status.pending.length > 0) {
      throw new Error(`the fleet could not be set up: ${JSON.stringify(status)}`)
    }
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
      await this.ask(() => this.start(), signal)
      await this.everyDevice((state) => state === 'active', FORWARD_MS, signal)
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
function trainedAgain(revision: number): Buffer {
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
