import { AppError, messageOf } from '../../../shared/errors.ts'
import type { BenchMessage } from './bench-child.ts'
import { type BenchRequest, benchHere } from './bench-run.ts'

// Entry of the process that a benchmark runs in: a request as a message, blocks as they end, one record.

process.once('disconnect', () => process.exit(1))
process.once('message', (request: BenchRequest) => {
  void benchHere(request, (round) => say({ say: 'block', round }))
    .then((record): BenchMessage => ({ say: 'done', record }), failure)
    .then((message) => say(message, () => process.exit(0)))
})

function say(message: BenchMessage, said: () => void = () => {}): void {
  process.send?.(message, said)
}

function failure(error: unknown): BenchMessage {
  const known = error instanceof AppError ? error : undefined
  return {
    say: 'failed',
    code: known?.code ?? 'run-failed',
    message: messageOf(error).split('\n')[0] ?? '',
  }
}
