import { parentPort, workerData } from 'node:worker_threads'
import { invariant, messageOf } from '../../../shared/errors.ts'
import type { FromWorker, ObservationTask, ToWorker } from './messages.ts'
import { TensorObserver } from './observer.ts'
import { RUNNERS, type Runner } from './runners.ts'

// Entry of the calibration thread: the runtime and the observers live together, so that activations are
// read where the runtime computed them.
const port = parentPort
invariant(port, 'runs as a worker thread')

function tell(message: FromWorker): void {
  port?.postMessage(message)
}

async function observe(run: Runner, observers: readonly TensorObserver[], message: ToWorker) {
  if (message.kind === 'finish') {
    return tell({ kind: 'statistics', statistics: observers.map((one) => one.result()) })
  }
  for (const sample of message.samples) {
    const outputs = await run(sample)
    observers.forEach((observer, i) => {
      observer.see(outputs[i]?.data as Float32Array)
    })
  }
  tell({ kind: 'seen', samples: message.samples.length })
}

try {
  const task = workerData as ObservationTask
  const run = await RUNNERS[task.runtime](task.model)
  const observers = task.observed.map((one) => new TensorObserver(one.tensor, one.channels))
  let turn = Promise.resolve()
  port.on('message', (message: ToWorker) => {
    turn = turn
      .then(() => observe(run, observers, message))
      .catch((error: unknown) => tell({ kind: 'failed', message: messageOf(error) }))
  })
  tell({ kind: 'ready' })
} catch (error) {
  tell({ kind: 'failed', message: messageOf(error) })
}
