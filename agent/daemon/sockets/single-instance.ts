import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { errnoOf, messageOf } from '../../../shared/errors.ts'
import { AgentError } from '../errors.ts'

/** What holds the directory is called so, and drafts of it with a suffix. */
const CLAIM = 'claim.sock'
/** Rounds in which somebody else's dead claim is taken away; each ends with one agent fewer. */
const MOST_ROUNDS = 10

/**
 * One agent per state directory, by two claims that the kernel drops with the process, however it ends. A socket in Linux's
 * abstract namespace (unix(7)), named after the directory's inode, decides at once among agents of one network namespace.
 * A socket that is a file of the directory is seen from every container that shares it.
 * @returns how to give it back
 * @throws AgentError `already-running`, `state-dir-unusable`
 */
export async function claimStateDir(stateDir: string): Promise<() => Promise<void>> {
  const name = await claimName(stateDir)
  const near = await listening(name, stateDir)
  try {
    const far = await claimFile(stateDir)
    return async () => {
      await far()
      await closed(near)
    }
  } catch (error) {
    await closed(near)
    throw error
  }
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

async function listening(name: string, stateDir: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  try {
    await listen(server, name)
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error
    throw alreadyRunning(stateDir)
  }
  server.unref()
  return server
}

/**
 * The socket is made under a name of its own and linked to the one that counts: of two that come at once, one link fails.
 * Nothing is claimed where the file system has no sockets or links, as FAT, or there is no /proc.
 */
async function claimFile(stateDir: string): Promise<() => Promise<void>> {
  const folder = await open(stateDir, constants.O_DIRECTORY)
  try {
    const giveBack = await claimIn(stateDir, `/proc/self/fd/${folder.fd}`)
    return async () => {
      await giveBack()
      await folder.close()
    }
  } catch (error) {
    await folder.close()
    throw error
  }
}

/** @param folder the same directory by a path that is short enough for a socket's (unix(7)), however long its own is */
async function claimIn(stateDir: string, folder: string): Promise<() => Promise<void>> {
  const claim = join(folder, CLAIM)
  const own = `${claim}.${randomUUID().slice(0, 8)}`
  const server = createServer((socket) => socket.destroy())
  try {
    await listen(server, own)
  } catch {
    return async () => {}
  }
  server.unref()
  const giveBack = async () => {
    await rm(claim, { force: true })
    await closed(server)
    await rm(own, { force: true })
  }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      await link(own, claim)
      await removeDead(folder, own)
      return giveBack
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') return () => closed(server)
      if (await answers(claim)) break
      await takeAway(claim)
    }
  }
  await closed(server)
  await rm(own, { force: true })
  throw alreadyRunning(stateDir)
}

/** A claim whose process is gone. It may have become another's between the look and the move: that one gets it back. */
async function takeAway(claim: string): Promise<void> {
  const aside = `${claim}.${randomUUID().slice(0, 8)}`
  try {
    await rename(claim, aside)
    if (await answers(aside)) await link(aside, claim)
  } catch {
    // Somebody else took it away, or made a claim of his own: the next look tells.
  } finally {
    await rm(aside, { force: true })
  }
}

/** What agents that were killed left beside the claim. */
async function removeDead(folder: string, own: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((one) => one.startsWith(`${CLAIM}.`))) {
    const path = join(folder, name)
    if (path !== own && !(await answers(path))) await rm(path, { force: true })
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Also where it is not ours to ask: who cannot be asked may live.
    socket.once('error', (error) =>
      resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '')),
    )
  })
}

function alreadyRunning(stateDir: string): AgentError {
  return new AgentError(
    'already-running',
    `another agent runs on ${stateDir}: stop it, or give this one a --state-dir of its own`,
    { stateDir },
  )
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => resolve())
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve()
    server.close(() => resolve())
  })
}
