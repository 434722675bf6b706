import { DatasetError } from '../../shared/dataset/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../../shared/runtime/index.ts'
import type { ChildMessage, Phase } from './child-messages.ts'
import { fieldHere, probeHere } from './child-probe.ts'
import type { ProbeRequest, SidesRequest } from './request.ts'

// Entry of the child process of one probe: a request as a message, then phases and one result. All it needs but the runtime
// is loaded before the request comes.

type FailureCode = Extract<ChildMessage, { kind: 'failed' }>['code']

const FAILURE_CODES: Readonly<Record<RuntimeErrorCode, FailureCode>> = {
  'runtime-missing': 'runtime-missing',
  'library-unusable': 'library-unusable',
  'delegate-failed': 'delegate-failed',
  'not-accelerated': 'not-accelerated',
  'not-loadable': 'not-loadable',
  // The inputs come from the data.
  'wrong-input': 'wrong-data',
  'run-failed': 'run-failed',
  'out-of-memory': 'out-of-memory',
}

// Nobody waits for a result any more.
process.on('disconnect', () => process.exit(1))

// Our own parent's, which knows its type: to load a parser takes longer than many a model runs.
process.once('message', (request: ProbeRequest | SidesRequest) => void probe(request))

async function probe(request: ProbeRequest | SidesRequest): Promise<void> {
  const result = await measured(request).catch(failure)
  send(result, () => process.exit(0))
}

async function measured(request: ProbeRequest | SidesRequest): Promise<ChildMessage> {
  const enter = (phase: Phase) => send({ kind: 'phase', phase })
  if ('sides' in request) return { kind: 'field', field: await fieldHere(request, enter) }
  return { kind: 'measured', record: await probeHere(request, enter) }
}

function send(message: ChildMessage, sent: () => void = () => {}): void {
  process.send?.(message, sent)
}

function failure(error: unknown): ChildMessage {
  if (error instanceof RuntimeError)
    return { kind: 'failed', code: FAILURE_CODES[error.code], message: error.message }
  if (error instanceof DatasetError)
    return { kind: 'failed', code: 'wrong-data', message: error.message }
  const [line] = messageOf(error).split('\n')
  return { kind: 'failed', code: 'run-failed', message: line ?? 'unknown failure' }
}
