import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectPlanner, type PlannerClient } from '../../planner/api/index.ts'
import { parseWaves } from '../../planner/rollout/index.ts'
import type { Digest } from '../../shared/digest.ts'
import { parseTrustPin } from '../../shared/trust/index.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { Program } from '../soak/program.ts'
import { type Copy, serveCopy } from './artifact-copy.ts'
import { type Usage, usageOf } from './process-usage.ts'
import type { Settings } from './settings.ts'
import { wideModel } from './wide-model.ts'

export const MODEL = 'motor'
export const SAMPLES = 40
const START_MS = 120_000
const POLL_MS = 200

/** The installed planner, as its own process, and its operator. */
export class PlannerUnderTest {
  readonly client: PlannerClient
  readonly #settings: Settings
  readonly #data: string
  readonly #dir: string
  readonly #program: Program
  #copy: Copy | undefined

  constructor(settings: Settings, dir: string) {
    this.#settings = settings
    this.#dir = dir
    this.#data = join(dir, 'planner')
    this.client = connectPlanner(this.#data)
    this.#program = new Program('planner', 'planner', dir, () => this.#arguments())
  }

  /** Resolves when it answers. */
  async start(): Promise<{
    readonly broker: { readonly host: string; readonly port: number }
    readonly fleet: string
    readonly anchor: Digest
  }> {
    if (this.#settings.pull > 0) this.#copy = await serveCopy(join(this.#data, 'artifacts'))
    this.#program.start('')
    const deadline = performance.now() + START_MS
    for (;;) {
      const info = await this.client.call('planner.info', {}).catch(() => undefined)
      if (info) {
        const { hostname, port } = new URL(info.broker)
        const anchor = parseTrustPin(info.trust)
        return { broker: { host: hostname, port: Number(port || 1883) }, fleet: info.fleet, anchor }
      }
      if (!this.#program.isRunning || performance.now() > deadline) {
        throw new Error(`the planner does not answer: ${this.#program.lastWords()}`)
      }
      await sleep(POLL_MS)
    }
  }

  get isRunning(): boolean {
    return this.#program.isRunning
  }

  usage(): Usage {
    const { pid } = this.#program
    if (pid === undefined) throw new Error(`the planner ended: ${this.#program.lastWords()}`)
    return usageOf(pid)
  }

  async register(): Promise<void> {
    const { weights } = this.#settings
    const put = async (name: string, bytes: Uint8Array) => {
      const path = join(this.#dir, name)
      writeFileSync(path, bytes)
      return { digest: await this.client.upload(path), name }
    }
    await this.client.call('models.add', {
      name: MODEL,
      source:
        weights === undefined
          ? { digest: await this.client.upload(SMALL_MODEL), name: 'model.tflite' }
          : await put('model.tflite', wideModel(weights)),
      calibration: await put('calibration.npz', await fewSamples('calibration', 16)),
      test: await put('test.npz', await fewSamples('test', SAMPLES)),
      objective: 'latency',
      constraints: {
        maxAccuracyDrop: 0.5,
        maxLatencyMs: null,
        maxMemoryBytes: null,
        maxBytes: this.#settings['max-bytes'] ?? null,
      },
    })
  }

  async plan(again: boolean): Promise<void> {
    await this.client.call('plan', { model: MODEL, dryRun: false, again })
  }

  async startRollout(): Promise<void> {
    await this.client.call('rollout.start', {
      model: MODEL,
      waves: [...parseWaves(this.#settings.waves)],
      gate: { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 },
      approval: false,
      revert: false,
      wait: false,
    })
  }

  async rolloutStates(): Promise<string[]> {
    const { rollouts } = await this.client.call('rollout.status', { model: MODEL })
    return rollouts.map(({ state }) => state)
  }

  /** Of tables, indexes and what is not yet folded into them. */
  async databaseBytes(): Promise<number> {
    const url = this.#settings.database
    if (url === undefined) {
      const files = readdirSync(this.#data).filter((name) => name.startsWith('fitment.db'))
      return files.reduce((sum, name) => sum + statSync(join(this.#data, name)).size, 0)
    }
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    )
    await client.end()
    return Number(rows[0]?.bytes)
  }

  async stop(): Promise<void> {
    this.#program.kill('SIGTERM')
    const late = setTimeout(() => this.#program.kill('SIGKILL'), 20_000)
    await this.#program.ended
    clearTimeout(late)
    this.#copy?.close()
  }

  #arguments(): string[] {
    const { broker, database, 'secret-file': secret } = this.#settings
    const copy = this.#copy === undefined ? [] : ['--artifacts-url', this.#copy.url]
    const own = ['--data', this.#data, '--probe-ms', '100', ...copy]
    const kept = database === undefined ? [] : ['--database', database]
    if (broker === undefined)
      return ['serve', ...own, ...kept, '--port', '0', '--insecure-loopback']
    const login = secret === undefined ? [] : ['--secret-file', secret]
    return ['planner', ...own, ...kept, '--broker', broker, ...login]
  }
}
