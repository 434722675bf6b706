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
  /** Longest question, bytes; a KiB where absent. */
  readonly mostBytes?: number
  answer(line: string, connection: Connection): Promise<unknown>
}

/** What an answer may do with the connection that asked. */
export interface Connection {
  /** One JSON value more on a line of its own, at any time; false where nobody reads any more. */
  tell(value: unknown): boolean
  /** It may be silent for as long as it likes. What is given is done when it ends. */
  keep(onEnd: () => void): void
}

/** An application that does not read what it asked for is hung up on. */
const MOST_UNREAD_BYTES = 64 * 1024
/** Connections of one socket at a time: each may hold one question. */
const MOST_CONNECTIONS = 64

/**
 * Answers applications on a Unix socket: one question per line, one JSON value per line. Where the path is too
 * long for a socket the agent runs without one.
 * @returns how to stop
 */
export async function answerOnSocket(
  { path, mode, answer, mostBytes = MAX_QUESTION_BYTES }: LineSocket,
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
    void converse(socket, answer, mostBytes)
  })
  server.maxConnections = MOST_CONNECTIONS
  await listen(server, path)
  await chmod(path, mode)
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of open) socket.destroy()
    await closed
  }
}

/** One question after the other: who asks faster than is answered waits at his own end. */
async function converse(
  socket: Socket,
  answer: LineSocket['answer'],
  mostBytes: number,
): Promise<void> {
  let text = ''
  socket.setEncoding('utf8')
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  const tell = (value: unknown): boolean => {
    if (socket.destroyed) return false
    socket.write(`${JSON.stringify(value)}\n`)
    if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy()
    return !socket.destroyed
  }
  const keep = (onEnd: () => void) => {
    socket.setTimeout(0)
    if (socket.destroyed) onEnd()
    else socket.once('close', onEnd)
  }
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      if (text.length > mostBytes) socket.destroy()
      for (const line of lines) tell(await answer(line.trim(), { tell, keep }))
    }
  } catch {
    // Hung up on, by either side.
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}
