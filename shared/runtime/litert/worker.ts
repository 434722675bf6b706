import { parentPort, workerData } from 'node:worker_threads'
import { invariant, messageOf } from '../../errors.ts'
import { RuntimeError } from '../errors.ts'
import { LitertEngine } from './engine.ts'
import { copyOutputs, describe } from './in-process.ts'
import type { RunRequest, WorkerReply, WorkerTask } from './worker-messages.ts'

// Entry of the thread behind one session of litertRuntime: it loads one model and runs it until it is terminated.
const port = parentPort
invariant(port, 'runs as a worker thread')

function reply(message: WorkerReply): void {
  const outputs = message.kind === 'ran' ? Object.values(message.outputs) : []
  port?.postMessage(
    message,
    outputs.map((tensor) => tensor.data.buffer as ArrayBuffer),
  )
}

function fail(error: unknown): void {
  const code = error instanceof RuntimeError ? error.code : 'run-failed'
  reply({ kind: 'failed', code, message: messageOf(error) })
}

try {
  const { model: bytes, options } = workerData as WorkerTask
  const engine = await LitertEngine.start(options)
  const model = engine.load(bytes)
  port.on('message', ({ inputs }: RunRequest) => {
    try {
      reply({ kind: 'ran', outputs: copyOutputs(model, model.run(inputs)) })
    } catch (error) {
      fail(error)
    }
  })
  const { inputs, outputs } = model
  reply({ kind: 'loaded', inputs, outputs, details: describe(engine, model) })
} catch (error) {
  fail(error)
}
