import { connect } from 'node:net'
import { join } from 'node:path'
import { AppError, errnoOf, isMissing } from '../../shared/errors.ts'

const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 1024 * 1024

/** Where a running agent answers: one question per line, one JSON value per line. */
export function socketPath(stateDir: string): string {
  return join(stateDir, 'agent.sock')
}

/** Where it hears how applications are; for its own user and group. */
export function healthSocketPath(stateDir: string): string {
  return join(stateDir, 'health.sock')
}

/** Somebody listens there and does not answer: frozen, or stopped in a debugger. A dead one does not listen. */
export class SilentAgentError extends AppError {
  readonly code = 'agent-silent'
}

/** `undefined` where no agent runs on this state directory. @throws SilentAgentError when one does and does not answer */
export function askAgent(stateDir: string, question: string): Promise<unknown> {
  return askOn(socketPath(stateDir), question)
}

/** One question, one answer; `undefined` where nobody listens. */
export function askOn(path: string, question: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path)
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(silent(path, 'does not answer')))
    socket.setEncoding('utf8')
    socket.once('connect', () => socket.write(`${question}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_ANSWER_BYTES) socket.destroy(silent(path, 'answers too much'))
      if (text.includes('\n')) socket.end()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = isMissing(error) || errnoOf(error) === 'ECONNREFUSED'
      if (isAbsent) resolve(undefined)
      else reject(error)
    })
    socket.once('close', () => {
      const [line] = text.split('\n', 1)
      if (!line) return reject(silent(path, 'hung up'))
      try {
        resolve(JSON.parse(line))
      } catch {
        reject(silent(path, 'answers in no JSON'))
      }
    })
  })
}

function silent(path: string, what: string): SilentAgentError {
  return new SilentAgentError(
    `the agent on ${path} ${what}: it runs and stands still; look at its log, then end and start it again`,
    { path },
  )
}
