import { parentPort, workerData } from 'node:worker_threads'
// Not the whole folder, which brings its parsers: every thread would load them.
import { realValues } from '../../../shared/dataset/convert.ts'
import { invariant, messageOf, unreachable } from '../../../shared/errors.ts'
import { SerialQueue } from '../../../shared/serial-queue.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { ObserverPlan } from '../../graph/index.ts'
import { summaryFrom } from '../../graph/index.ts'
import { TensorObserver } from '../observers/observer.ts'
import { type Engine, type RunnableModel, startEngine } from './engines.ts'
import { type Answer, buffersOf, type FromPool, type PoolTask, type ToPool } from './messages.ts'

// Entry of the pool thread: runtime and observers live together, so that activations are read where
// the runtime computed them. A trap of the runtime ends the thread, not the planner.
const port = parentPort
invariant(port, 'runs as a worker thread')

let model: RunnableModel | undefined
let observers: readonly { readonly plan: ObserverPlan; readonly observer: TensorObserver }[] = []

/** To each observer what it observes: an output of the model, or the few that sum one up. */
function show(outputs: readonly Tensor[], sample: number): void {
  let at = 0
  for (const { plan, observer } of observers) {
    const { summary } = plan
    if (summary !== undefined) {
      const end = at + summary.length
      observer.seeSummary(summaryFrom(summary, outputs.slice(at, end)), sample)
      at = end
    } else {
      observer.see(outputs[at]?.data as Float32Array, sample)
      at += 1
    }
  }
}

async function answer(bench: Engine, message: ToPool): Promise<FromPool> {
  switch (message.kind) {
    case 'load':
      await model?.close()
      model = await bench.load(message.model, message.wishes)
      observers = message.observed.map((plan) => ({ plan, observer: new TensorObserver(plan) }))
      return { kind: 'loaded', inputs: model.inputs, outputs: model.outputs }
    case 'run':
      for (const [i, sample] of message.samples.entries()) {
        show((await model?.run(sample)) ?? [], message.first + i)
      }
      return { kind: 'ran', samples: message.samples }
    case 'answer': {
      const answers: Answer[] = []
      for (const sample of message.samples) {
        answers.push(((await model?.run(sample)) ?? []).map(realCopy))
      }
      return { kind: 'answered', answers }
    }
    case 'shapes': {
      const outputs = (await model?.run(message.sample)) ?? []
      return { kind: 'shaped', shapes: outputs.map(({ shape }) => [...shape]) }
    }
    case 'report': {
      // What it takes is free for what comes next.
      await model?.close()
      model = undefined
      const whole = observers.every(({ plan }) => plan.summary === undefined)
      return {
        kind: 'reported',
        statistics: observers.map(({ observer }) => observer.result()),
        sharp: whole || observers.every(({ observer }) => observer.isSharp),
      }
    }
    default:
      return unreachable(message)
  }
}

/** Outputs lie in the runtime's memory until the next run. */
function realCopy({ type, data }: Tensor): Float32Array {
  return Float32Array.from(realValues(type, data))
}

// Not awaited: messages that come while the runtime starts must find a listener.
const starting = startEngine(workerData as PoolTask)
starting.catch(() => {})
const queue = new SerialQueue()
port.on('message', (message: ToPool) => {
  void queue
    .run(async () => answer(await starting, message))
    .catch((error: unknown): FromPool => ({ kind: 'failed', message: messageOf(error) }))
    .then((reply) => port.postMessage(reply, reply.kind === 'ran' ? buffersOf(reply.samples) : []))
})
