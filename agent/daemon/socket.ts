import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { messageOf } from '../../shared/errors.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { socketPath } from '../client/index.ts'
import type { Log } from '../link/index.ts'
import type { AgentStatus } from './status.ts'

const MAX_QUESTION_BYTES = 1024
const IDLE_MS = 30_000

/** Longest path of a Unix socket, unix(7), without the final zero. */
const MAX_PATH_BYTES = 107

/**
 * Answers applications on `<state-dir>/agent.sock`: `status` and `current <model>`, one JSON value per
 * line. Where the path is too long for a socket the agent runs without one.
 * @returns how to stop
 */
export async function answerOnSocket(
  stateDir: string,
  status: () => Promise<AgentStatus>,
  log: Log,
): Promise<() => Promise<void>> {
  const path = socketPath(stateDir)
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    log.warn({ path }, 'no socket for applications: the path of the state directory is too long')
    return async () => {}
  }
  // What an agent that was killed left behind; that no other runs was made sure of before.
  await rm(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    converse(socket, status)
  })
  await listen(server, path)
  // Applications of other users may ask: an answer tells nothing that the links do not.
  await chmod(path, 0o666)
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of open) socket.destroy()
    await closed
  }
}

function converse(socket: Socket, status: () => Promise<AgentStatus>): void {
  let text = ''
  socket.setEncoding('utf8')
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', async (chunk: string) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    if (text.length > MAX_QUESTION_BYTES) socket.destroy()
    for (const line of lines) {
      const answer = await answerTo(line.trim(), status)
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`)
    }
  })
}

async function answerTo(question: string, status: () => Promise<AgentStatus>): Promise<unknown> {
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

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}
