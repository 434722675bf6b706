import { joinKeyOf, newJoinSecret, printJoinToken } from '../../shared/identity/index.ts'
import type { Labels } from '../../shared/labels.ts'
import { printTrustedKey } from '../../shared/signatures/index.ts'
import { audit, type Db, deviceLabels, joinTokens, type TokenAuthority } from '../storage/index.ts'

export interface Invitation {
  /** The only device that may use it; `null`: whoever has it, under a name that is free. */
  readonly device: string | null
  readonly lifetimeMs: number
  /** For the audit log. */
  readonly by: string
  /** Devices that it is good for; default: one. Several only where no device is named. */
  readonly uses?: number
  /** What groups whoever joins by it. */
  readonly labels?: Labels
  /** Whose certificate whoever joins by it must show besides. */
  readonly authority?: TokenAuthority
}

/** What every token of this planner says. */
export interface InvitePlace {
  /** `mqtts://host:port` as devices reach it. */
  readonly broker: string
  readonly fleet: string
  readonly authority: string
  readonly trust: string
}

/** A one-time join token. Its secret is nowhere but in the text that is returned. */
export async function invite(
  db: Db,
  place: InvitePlace,
  { device, lifetimeMs, by, uses = 1, labels = {}, authority }: Invitation,
  now: Date,
): Promise<{ readonly id: string; readonly token: string; readonly expiresAt: Date }> {
  const secret = newJoinSecret()
  const { trusted } = joinKeyOf(secret)
  const expiresAt = new Date(now.getTime() + lifetimeMs)
  const row = {
    id: trusted.keyId,
    publicKey: printTrustedKey(trusted),
    device,
    createdBy: by,
    expiresAt,
    uses,
    ...(authority && { authority }),
    // Of a device that is named they hold from now on.
    labels: device === null ? labels : {},
  }
  await db.transaction().execute(async (trx) => {
    // Two tokens for one device would be one too many: the older may lie anywhere.
    const voided = device === null ? 0 : await joinTokens.expireJoinTokens(trx, device, now)
    await joinTokens.addJoinToken(trx, row, now)
    if (device !== null) await deviceLabels.putLabelsOf(trx, device, labels)
    const detail = {
      token: row.id.slice(0, 12),
      expiresAt: expiresAt.toISOString(),
      voided,
      uses,
      labels,
      ...(authority && { names: authority.names }),
    }
    const subject = device ?? place.fleet
    await audit.writeAudit(trx, { actor: by, action: 'devices.invite', subject, detail }, now)
  })
  const token = printJoinToken({ ...place, secret, ...(device !== null && { device }) })
  return { id: row.id, token, expiresAt }
}
