import { messageOf } from '../../../shared/errors.ts'
import { modelNameSchema } from '../../../shared/ids.ts'
import { healthSocketPath, socketPath } from '../../client/index.ts'
import type { Log } from '../../link/index.ts'
import { MOST_LINE_BYTES, type Observer } from '../../observe/index.ts'
import type { HealthMessages } from '../health/health-messages.ts'
import { agentMetrics } from './agent-metrics.ts'
import { answerOnSocket, type Connection, type LineSocket } from './line-socket.ts'
import type { AgentStatus } from './status.ts'
import type { SwitchNotices } from './switch-notices.ts'

type Status = () => Promise<AgentStatus>

/** What answers on the sockets. */
export interface Answering {
  readonly status: Status
  readonly messages: HealthMessages
  readonly notices: SwitchNotices
  readonly observer: Observer
}

const OBSERVE = 'observe '

/**
 * `agent.sock` answers `status`, `metrics` and `current <model>` and tells of switches; `health.sock` hears how applications are
 * and what they observe.
 * @returns how to stop
 */
export async function openSockets(
  stateDir: string,
  { status, messages, notices, observer }: Answering,
  log: Log,
): Promise<() => Promise<void>> {
  const sockets: readonly LineSocket[] = [
    {
      path: socketPath(stateDir),
      // Applications of other users may ask: an answer tells nothing that the links do not.
      mode: 0o666,
      answer: (line, connection) => answerTo(line, status, notices, connection),
    },
    {
      path: healthSocketPath(stateDir),
      // A word takes a variant back, and so may an observation: the agent's own user and group have it.
      mode: 0o660,
      mostBytes: MOST_LINE_BYTES,
      answer: (line) =>
        line.startsWith(OBSERVE)
          ? observer.answer(line.slice(OBSERVE.length))
          : messages.answer(line),
    },
  ]
  const closers: (() => Promise<void>)[] = []
  for (const socket of sockets) closers.push(await answerOnSocket(socket, log))
  return async () => {
    for (const close of closers) await close()
  }
}

async function answerTo(
  question: string,
  status: Status,
  notices: SwitchNotices,
  connection: Connection,
): Promise<unknown> {
  const [verb = '', model = '', ...rest] = question.split(' ')
  try {
    if (verb === 'status' && model === '') return await status()
    if (verb === 'metrics' && model === '') return { text: agentMetrics(await status()) }
    const isModel = rest.length === 0 && modelNameSchema.safeParse(model).success
    if (verb === 'subscribe' && isModel)
      connection.keep(notices.listen(model, (notice) => void connection.tell(notice)))
    if ((verb === 'current' || verb === 'subscribe') && isModel) {
      const { models } = await status()
      const found = models.find((candidate) => candidate.model === model)
      return { v: 1, model, variant: found?.current ?? null, file: found?.file ?? null }
    }
    return { error: 'ask "status", "metrics", "current <model>" or "subscribe <model>"' }
  } catch (error) {
    return { error: messageOf(error) }
  }
}
