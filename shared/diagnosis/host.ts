import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { isPlausible, MADE_AT, minute } from '../clock/index.ts'
import { errnoOf, messageOf } from '../errors.ts'
import { factsOf, judgeTime, renewalDue } from '../identity/index.ts'
import { formatBytes } from '../units.ts'
import { bad, type Examination, good, warning } from './diagnosis.ts'

const LEAST_NODE = [20, 19] as const

export const NODE: Examination = {
  subject: 'node',
  async look() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
    return isEnough
      ? good(`Node ${process.versions.node}`)
      : bad(`Node ${process.versions.node} is too old: install ${LEAST_NODE.join('.')} or newer`)
  },
}

export function clockOf(now: () => Date): Examination {
  return {
    subject: 'clock',
    async look() {
      if (isPlausible(now())) return good(`${minute(now())} UTC`)
      return bad(
        `it says ${minute(now())} UTC, and this version was made in ${MADE_AT.toISOString().slice(0, 7)}: set it (timedatectl set-ntp true, or date -s)`,
      )
    },
  }
}

/** Whose it is, and whether this user may write. */
export function folderAt(subject: string, path: string): Examination {
  return {
    subject,
    async look() {
      try {
        const stats = await stat(path)
        if (!stats.isDirectory()) return bad(`${path} is no folder: name another, or move it away`)
        await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
        const me = process.getuid?.()
        const isOthers = me !== undefined && stats.uid !== me
        return isOthers
          ? warning(
              `${path} belongs to user ${stats.uid}, and this is user ${me}: run this as that user to see what it sees`,
            )
          : good(path)
      } catch (error) {
        return bad(`${path}: ${FOLDER_ADVICE[errnoOf(error) ?? ''] ?? messageOf(error)}`)
      }
    },
  }
}

const FOLDER_ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder: is it spelt right? it is made at the first start',
  EACCES: 'this user may not write there: run as the user who owns it, or give it with chown',
  EROFS: 'its file system is read-only: mount it writable',
  ENOTDIR: 'a part of its path is no folder',
}

export interface RoomLimits {
  readonly badBytes: number
  readonly warningBytes: number
}

export function roomAt(path: string, { badBytes, warningBytes }: RoomLimits): Examination {
  return {
    subject: 'space',
    async look() {
      const { bavail, bsize, files, ffree } = await statfs(await nearest(path))
      const free = bavail * bsize
      if (files > 0 && ffree < 64) return bad(`no inodes are left on the disk of ${path}`)
      const says = `${formatBytes(free)} free on the disk of ${path}`
      if (free < badBytes) return bad(`${says}: free some`)
      return free < warningBytes ? warning(`${says}: that is little`) : good(says)
    },
  }
}

/** The path, or what there is of it: where it would be made. */
async function nearest(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || dirname(path) === path ? path : await nearest(dirname(path))
}

/** PEM text, whose it is, and what makes it good again. */
export function certificateIn(
  pem: string,
  { name, remedy, now }: { readonly name: string; readonly remedy: string; readonly now: Date },
) {
  const facts = factsOf(new X509Certificate(pem))
  const until = `until ${minute(facts.notAfter)}`
  const verdict = judgeTime(facts, now)
  if (verdict === 'expired') return bad(`${name} expired at ${minute(facts.notAfter)}: ${remedy}`)
  if (verdict === 'not-yet-valid') {
    return bad(
      `${name} is valid from ${minute(facts.notBefore)} only: is the clock right? ${remedy}`,
    )
  }
  return now > renewalDue(facts)
    ? warning(`${name} is valid ${until} and should have been renewed: ${remedy}`)
    : good(`${name} is valid ${until}`)
}

const ANSWER_MS = 5_000

/**
 * Whether somebody listens there, with TLS whether its certificate is believed.
 * @param url mqtt:// or mqtts://
 */
export async function reach(
  url: string,
  tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } = {},
): Promise<void> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isTls = protocol === 'mqtts:'
  const at = { host, port: Number(port || (isTls ? 8883 : 1883)) }
  await new Promise<void>((resolve, reject) => {
    const socket = isTls ? connectTls({ ...at, ...tls, ...serverName(host) }) : connect(at)
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), ANSWER_MS)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => clearTimeout(timer))
  })
}

/** RFC 6066 §3: an address is no name to ask for. */
function serverName(host: string): { readonly servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host }
}

/** Whether a module can be loaded at all, found out in a process of its own: it may bring the process down. */
export async function loads(module: string): Promise<void> {
  const script = `await import(${JSON.stringify(import.meta.resolve(module))})`
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 60_000,
    })
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? ''
    const line = stderr.split('\n').find((text) => /Error/.test(text))
    throw new Error(line?.trim() || messageOf(error).split('\n')[0], { cause: error })
  }
}
