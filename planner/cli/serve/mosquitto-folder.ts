import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { MOSQUITTO_FILES } from '../../../broker/index.ts'
import { messageOf, UsageError } from '../../../shared/errors.ts'
import { outsideClientId } from '../../../shared/identity/index.ts'
import { SerialQueue } from '../../../shared/serial-queue.ts'
import { endSession } from '../../fleet/index.ts'
import type { PlannerIdentity, Revocation } from '../../identity/index.ts'
import { writeWhole } from '../program/write-whole.ts'

export interface MosquittoOptions {
  /** What `fitment broker export-mosquitto` wrote, on this machine. */
  readonly dir: string
  /** Where devices with a certificate connect. */
  readonly url: string
  readonly fleet: string
  readonly identity: PlannerIdentity
  readonly log: Logger
}

const DAY_MS = 86_400_000

/**
 * Keeps the folder of a running Mosquitto true: what is revoked is on its list at once, live connections with it
 * end, and its certificate is renewed.
 */
export async function keepMosquitto(options: MosquittoOptions): Promise<{ close(): void }> {
  const { dir, identity, log } = options
  const queue = new SerialQueue()
  const soon = (work: () => Promise<unknown>) =>
    queue.run(work).catch((error) => {
      log.error({ dir, reason: messageOf(error) }, 'Mosquitto was not told')
    })
  await soon(() => refresh(options))
  const timer = setInterval(() => void soon(() => refresh(options)), DAY_MS).unref()
  const stop = identity.revocations.listen((revocation) => {
    void soon(() => shutOut(options, revocation))
  })
  return {
    close() {
      clearInterval(timer)
      stop()
    },
  }
}

/** First the list, then the connection: who is thrown out finds the door shut. */
async function shutOut(options: MosquittoOptions, { device, serials }: Revocation): Promise<void> {
  const { url, fleet, identity, log } = options
  if (!(await refresh(options))) return
  const tls = await identity.deviceTls(device)
  for (const serial of serials) {
    await endSession(url, outsideClientId({ fleet, device }, serial), tls)
  }
  log.info({ device }, 'revoked at Mosquitto too')
}

/** False where there is nothing yet to keep true, or nobody to tell. */
async function refresh({ dir, identity, log }: MosquittoOptions): Promise<boolean> {
  const [certificate, key, revoked] = (['certificate', 'key', 'revoked'] as const).map((file) =>
    join(dir, MOSQUITTO_FILES[file]),
  ) as [string, string, string]
  const present = await readFile(certificate, 'utf8').catch(() => undefined)
  if (present === undefined) {
    log.warn({ dir }, `nothing of Mosquitto there yet: fitment broker export-mosquitto ${dir}`)
    return false
  }
  const tls = await identity.brokerTls(namesOf(present))
  if (present !== tls.cert) {
    // In place: these files belong to the user that Mosquitto runs as.
    await writeFile(key, tls.key)
    await writeFile(certificate, tls.cert)
  }
  await writeWhole(revoked, tls.revoked)
  return reload(dir, log)
}

/** Mosquitto reads certificates and revocations again when it is hung up on. */
async function reload(dir: string, log: Logger): Promise<boolean> {
  const pid = Number(await readFile(join(dir, MOSQUITTO_FILES.process), 'utf8').catch(() => ''))
  const name = pid > 0 ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '') : ''
  if (name.trim() !== 'mosquitto') {
    log.warn({ dir }, 'no Mosquitto runs in this folder')
    return false
  }
  try {
    process.kill(pid, 'SIGHUP')
    return true
  } catch (cause) {
    throw new UsageError(
      `cannot signal Mosquitto (process ${pid}): run the planner as its user, or systemctl reload it`,
      { pid },
      { cause },
    )
  }
}

/** The names its certificate has, to be kept when it is renewed. */
function namesOf(pem: string): readonly string[] {
  const { subjectAltName = '' } = new X509Certificate(pem)
  return subjectAltName.split(', ').map((name) => name.slice(name.indexOf(':') + 1))
}
