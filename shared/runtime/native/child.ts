import { messageOf } from '../../errors.ts'
import { RuntimeError } from '../errors.ts'
import { loadInProcess } from '../load-runtime.ts'
import type { Runtime, Session } from '../runtime.ts'
import type { ChildReply, ChildRequest } from './child-messages.ts'

// Entry of the process that a native library lives in: one request, one answer, until nobody asks any more.

let runtime: Runtime | undefined
let session: Session | undefined

process.on('disconnect', () => process.exit(0))
process.on('message', (request: ChildRequest) => {
  void answer(request)
    .catch(failure)
    .then((reply) => process.send?.(reply))
})

async function answer(request: ChildRequest): Promise<ChildReply> {
  if (request.kind === 'open') {
    runtime = await loadInProcess(request.runtime, { library: request.library })
    const { version, library = { path: request.library, digest: '' } } = runtime
    return { kind: 'opened', version, library }
  }
  if (request.kind === 'load') {
    if (runtime === undefined) throw new RuntimeError('run-failed', 'no library is open')
    session = await runtime.load(request.model, request.options)
    const { inputs, outputs, details, delegation } = session
    return {
      kind: 'loaded',
      inputs,
      outputs,
      ...(details && { details }),
      ...(delegation && { delegation }),
    }
  }
  if (session === undefined) throw new RuntimeError('run-failed', 'no model is loaded')
  return { kind: 'ran', outputs: await session.run(request.inputs) }
}

function failure(error: unknown): ChildReply {
  const known = error instanceof RuntimeError ? error : undefined
  const [line] = messageOf(error).split('\n')
  return {
    kind: 'failed',
    code: known?.code ?? 'run-failed',
    message: line ?? 'unknown failure',
    details: { ...known?.details },
  }
}
