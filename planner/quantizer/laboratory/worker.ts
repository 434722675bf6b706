import { parentPort, workerData } from 'node:worker_threads'
import { realValues } from '../../../shared/dataset/index.ts'
import { invariant, messageOf, unreachable } from '../../../shared/errors.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { TensorObserver } from '../calibrate/observer.ts'
import type { Answer, FromLaboratory, LaboratoryTask, ToLaboratory } from './messages.ts'
import { BENCHES, type Bench, type RunnableModel } from './runners.ts'

// Entry of the laboratory thread: runtime and observers live together, so that activations are read where
// the runtime computed them. A trap of the runtime ends the thread, not the planner.
const port = parentPort
invariant(port, 'runs as a worker thread')

let model: RunnableModel | undefined
let observers: readonly TensorObserver[] = []

async function answer(bench: Bench, message: ToLaboratory): Promise<FromLaboratory> {
  switch (message.kind) {
    case 'load':
      await model?.close()
      model = await bench.load(message.model)
      observers = message.observed.map((plan) => new TensorObserver(plan))
      return { kind: 'loaded', inputs: model.inputs }
    case 'run':
      for (const sample of message.samples) {
        const outputs = (await model?.run(sample)) ?? []
        observers.forEach((observer, i) => {
          observer.see(outputs[i]?.data as Float32Array)
        })
      }
      return { kind: 'ran', samples: message.samples.length }
    case 'answer': {
      const answers: Answer[] = []
      for (const sample of message.samples) {
        answers.push(((await model?.run(sample)) ?? []).map(realCopy))
      }
      return { kind: 'answered', answers }
    }
    case 'report':
      return { kind: 'reported', statistics: observers.map((observer) => observer.result()) }
    default:
      return unreachable(message)
  }
}

/** Outputs lie in the runtime's memory until the next run. */
function realCopy({ type, data }: Tensor): Float32Array {
  return Float32Array.from(realValues(type, data))
}

const { runtime } = workerData as LaboratoryTask
// Not awaited: messages that come while the runtime starts must find a listener.
const starting = BENCHES[runtime]()
let turn: Promise<void> = Promise.resolve()
port.on('message', (message: ToLaboratory) => {
  turn = turn
    .then(async () => answer(await starting, message))
    .catch((error: unknown): FromLaboratory => ({ kind: 'failed', message: messageOf(error) }))
    .then((reply) => port.postMessage(reply))
})
