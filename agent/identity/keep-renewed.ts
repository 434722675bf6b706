import { X509Certificate } from 'node:crypto'
import { isPlausible } from '../../shared/clock/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { factsOf, renewalDue, type Validity } from '../../shared/identity/index.ts'
import type { Log } from '../link/index.ts'
import { type DeviceIdentity, readIdentity } from './identity-file.ts'

export interface KeepRenewedOptions {
  readonly stateDir: string
  /** The wall clock: it may jump, so it is looked at again and again. */
  readonly now: () => Date
  /** Resolves after so many ms, or when the agent leaves. */
  readonly sleep: (ms: number, leaving: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
  /** Leaves a new identity in the state directory. */
  readonly renew: () => Promise<void>
  readonly leaving: AbortSignal
  readonly log: Log
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** How often the clock is looked at. */
const LOOK_MS = HOUR_MS
const LONGEST_PAUSE_MS = 6 * HOUR_MS

/**
 * When to renew: at two thirds of the certificate's life, up to a twentieth of it earlier, so that a
 * fleet that joined together does not come together.
 */
export function renewAt(validity: Validity, random: number): Date {
  const life = validity.notAfter.getTime() - validity.notBefore.getTime()
  return new Date(renewalDue(validity).getTime() - (life / 20) * random)
}

/** After failures: a minute, doubling, at most six hours; less by up to a half, at random. */
export function pauseAfter(failures: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, MINUTE_MS * 2 ** Math.min(failures - 1, 20))
  return pause * (1 - random / 2)
}

/** Renews the certificate in time, until the agent leaves. Never rejects. */
export async function keepRenewed(options: KeepRenewedOptions): Promise<void> {
  const { stateDir, now, sleep, random, renew, leaving, log } = options
  const spread = random()
  let failures = 0
  while (!leaving.aborted) {
    const validity = validityOf(readQuietly(stateDir))
    if (validity === undefined || isOfUse(validity, now(), spread)) {
      await sleep(LOOK_MS, leaving)
      continue
    }
    try {
      await renew()
      failures = 0
      log.info({ until: validityOf(readQuietly(stateDir))?.notAfter }, 'certificate renewed')
      // Also after a success: a clock that is wrong must not make it ask without end.
      await sleep(LOOK_MS, leaving)
    } catch (error) {
      failures += 1
      const left = validity.notAfter.toISOString()
      log.warn({ failures, validUntil: left }, `certificate not renewed: ${messageOf(error)}`)
      await sleep(pauseAfter(failures, random()), leaving)
    }
  }
}

/** Not yet at its beginning, it was given while the planner's clock was ahead. */
function isOfUse(validity: Validity, now: Date, spread: number): boolean {
  return isPlausible(now)
    ? validity.notBefore <= now && now < renewAt(validity, spread)
    : now < renewAt(validity, spread)
}

function readQuietly(stateDir: string): DeviceIdentity | undefined {
  try {
    return readIdentity(stateDir)
  } catch {
    return undefined
  }
}

function validityOf(identity: DeviceIdentity | undefined): Validity | undefined {
  return identity && factsOf(new X509Certificate(identity.certificate))
}
