import { messageOf } from '../../../shared/errors.ts'
import { modelNameSchema } from '../../../shared/ids.ts'
import { healthSocketPath, socketPath } from '../../client/index.ts'
import type { Log } from '../../link/index.ts'
import type { HealthMessages } from '../health/health-messages.ts'
import { answerOnSocket, type LineSocket } from './line-socket.ts'
import type { AgentStatus } from './status.ts'

type Status = () => Promise<AgentStatus>

/**
 * `agent.sock` answers `status` and `current <model>`, `health.sock` hears how applications are.
 * @returns how to stop
 */
export async function openSockets(
  stateDir: string,
  status: Status,
  messages: HealthMessages,
  log: Log,
): Promise<() => Promise<void>> {
  const sockets: readonly LineSocket[] = [
    // Applications of other users may ask: an answer tells nothing that the links do not.
    { path: socketPath(stateDir), mode: 0o666, answer: (line) => answerTo(line, status) },
    // A word takes a variant back: the agent's own user and group have it.
    { path: healthSocketPath(stateDir), mode: 0o660, answer: (line) => messages.answer(line) },
  ]
  const closers: (() => Promise<void>)[] = []
  for (const socket of sockets) closers.push(await answerOnSocket(socket, log))
  return async () => {
    for (const close of closers) await close()
  }
}

async function answerTo(question: string, status: Status): Promise<unknown> {
  const [verb = '', model = '', ...rest] = question.split(' ')
  try {
    if (verb === 'status' && model === '') return await status()
    if (verb === 'current' && rest.length === 0 && modelNameSchema.safeParse(model).success) {
      const { models } = await status()
      const found = models.find((candidate) => candidate.model === model)
      return { v: 1, model, variant: found?.current ?? null, file: found?.file ?? null }
    }
    return { error: 'ask "status" or "current <model>"' }
  } catch (error) {
    return { error: messageOf(error) }
  }
}
