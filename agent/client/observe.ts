import { connect, type Socket } from 'node:net'
import { QuantileSketch } from '../../shared/sketch/index.ts'
import { healthSocketPath } from './ask.ts'

/** One inference as the application saw it. */
export interface Inference {
  /** Of the application's own call of the runtime. */
  readonly latencyMs?: number
  /** Real values by the name of each output, batch of one, in the model's own order. */
  readonly outputs?: Readonly<Record<string, ArrayLike<number>>>
  /** The same of inputs, asked for only of those inferences of which the agent wants them. */
  readonly inputs?: () => Readonly<Record<string, ArrayLike<number>>>
}

export interface ObserveOptions {
  /** Digest of the variant that is run; `readCurrent` tells it. Absent: what `current` names. */
  readonly variant?: string
  /** Told once of each new reason why observations were not counted; default: nobody is. */
  readonly onRefused?: (why: string) => void
}

/** Between two lines to the agent, ms. */
const FLUSH_MS = 1_000
/** Inferences of one line that are told with their outputs; of the others the latency counts. */
const MOST_SAMPLES = 64
const DIGITS = 6

interface Sample {
  readonly outputs?: Record<string, (number | null)[]>
  readonly inputs?: Record<string, (number | null)[]>
}

/**
 * Tells the agent how a model does in this application. `observe` only counts: it never waits, never throws, and holds no
 * more than a second's worth, whether an agent runs or not.
 */
export class ModelObserver {
  readonly #path: string
  readonly #model: string
  readonly #options: ObserveOptions
  readonly #timer: NodeJS.Timeout
  #latency = new QuantileSketch()
  #invalid = 0
  #samples: Sample[] = []
  #socket: Socket | undefined
  #isAnswered = true
  #wantsInputs = false
  #told = ''

  constructor(stateDir: string, model: string, options: ObserveOptions = {}) {
    this.#path = healthSocketPath(stateDir)
    this.#model = model
    this.#options = options
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref()
  }

  observe({ latencyMs, outputs, inputs }: Inference): void {
    if (latencyMs !== undefined && !this.#latency.add(latencyMs)) this.#invalid += 1
    if (this.#samples.length >= MOST_SAMPLES || (!outputs && !inputs)) return
    const asked = this.#wantsInputs && inputs !== undefined
    this.#wantsInputs = this.#wantsInputs && !asked
    try {
      this.#samples.push({
        ...(outputs && { outputs: plain(outputs) }),
        ...(asked && { inputs: plain(inputs()) }),
      })
    } catch {
      // What an application hands over by mistake is no reason to stop it.
      this.#invalid += 1
    }
  }

  /** Tells what there is to tell, unless the last line still waits for its answer: then it goes with the next. */
  flush(): void {
    if (!this.#isAnswered) return
    const latency = this.#latency
    if (latency.count + this.#invalid + this.#samples.length === 0) return
    const { variant } = this.#options
    const line = JSON.stringify({
      model: this.#model,
      ...(variant !== undefined && { variant }),
      ...(latency.count > 0 && { latency: latency.state() }),
      ...(this.#invalid > 0 && { latencyMs: new Array(Math.min(this.#invalid, 4096)).fill(null) }),
      samples: this.#samples,
    })
    this.#latency = new QuantileSketch()
    this.#invalid = 0
    this.#samples = []
    this.#isAnswered = false
    this.#connected().write(`observe ${line}\n`)
  }

  /** Tells the rest, and resolves when the agent has it or is not there. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.flush()
    const socket = this.#socket
    if (socket === undefined || this.#isAnswered) return void socket?.destroy()
    await new Promise<void>((resolve) => {
      socket.once('data', () => socket.destroy())
      socket.once('close', () => resolve())
    })
  }

  #connected(): Socket {
    if (this.#socket) return this.#socket
    const socket = connect(this.#path)
    let text = ''
    socket.unref()
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#hear(line)
    })
    // No agent, or none any more: what comes next is told to the next one.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#socket = undefined
      this.#isAnswered = true
    })
    this.#socket = socket
    return socket
  }

  #hear(line: string): void {
    this.#isAnswered = true
    try {
      const { inputs, error } = JSON.parse(line) as { inputs?: boolean; error?: string }
      this.#wantsInputs = inputs === true
      if (typeof error !== 'string' || error === this.#told) return
      this.#told = error
      this.#options.onRefused?.(error)
    } catch {
      // Not an agent that we know: nothing is wanted.
    }
  }
}

/** NaN has no JSON: it becomes null. Six digits tell all that is counted. */
function plain(ports: Readonly<Record<string, ArrayLike<number>>>) {
  return Object.fromEntries(
    Object.entries(ports).map(([name, values]) => [
      name,
      Array.from(values, (value) =>
        Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null,
      ),
    ]),
  )
}
