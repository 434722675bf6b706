import { mkdir, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { errnoOf, messageOf } from '../../../shared/errors.ts'
import { AgentError } from '../errors.ts'

/**
 * One agent per state directory. The claim is a socket in Linux's abstract namespace (unix(7)), named
 * after the directory's inode: the kernel gives it back when the process ends, however it ends.
 * @returns how to give it back
 * @throws AgentError `already-running`, `state-dir-unusable`
 */
export async function claimStateDir(stateDir: string): Promise<() => Promise<void>> {
  const name = await claimName(stateDir)
  const server = createServer((socket) => socket.destroy())
  try {
    await listen(server, name)
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error
    throw new AgentError(
      'already-running',
      `another agent runs on ${stateDir}: stop it, or give this one a --state-dir of its own`,
      { stateDir },
    )
  }
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

async function claimName(stateDir: string): Promise<string> {
  try {
    await mkdir(stateDir, { recursive: true })
    const { dev, ino } = await stat(stateDir)
    return `\0fitment-agent-${dev}-${ino}`
  } catch (error) {
    throw new AgentError(
      'state-dir-unusable',
      `cannot use ${stateDir} as state directory: ${messageOf(error)}`,
      { stateDir },
      { cause: error },
    )
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => resolve())
  })
}
