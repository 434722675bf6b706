import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { Log } from '../../link/index.ts'

const MAX_QUESTION_BYTES = 1024
const IDLE_MS = 30_000

/** Longest path of a Unix socket, unix(7), without the final zero. */
const MAX_PATH_BYTES = 107

export interface LineSocket {
  readonly path: string
  /** Whoever may write to the file may ask. */
  readonly mode: number
  answer(line: string): Promise<unknown>
}

/**
 * Answers applications on a Unix socket: one question per line, one JSON value per line. Where the path is too
 * long for a socket the agent runs without one.
 * @returns how to stop
 */
export async function answerOnSocket(
  { path, mode, answer }: LineSocket,
  log: Log,
): Promise<() => Promise<void>> {
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
    converse(socket, answer)
  })
  await listen(server, path)
  await chmod(path, mode)
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of open) socket.destroy()
    await closed
  }
}

function converse(socket: Socket, answer: LineSocket['answer']): void {
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
      const said = await answer(line.trim())
      if (!socket.destroyed) socket.write(`${JSON.stringify(said)}\n`)
    }
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}
