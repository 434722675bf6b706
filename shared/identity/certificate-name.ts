import { z } from 'zod'
import { deviceIdSchema, fleetSchema } from '../ids.ts'

/** Who a certificate is for. A planner's common name holds a colon, which no device id can. */
export type CertificateName =
  | { readonly role: 'device'; readonly fleet: string; readonly device: string }
  | { readonly role: 'planner'; readonly fleet: string }

/** Attributes of an X.509 subject (RFC 5280 §4.1.2.6), one value each. */
export interface SubjectAttributes {
  readonly CN: string
  readonly O: string
  readonly OU: string
}

export function subjectOf(name: CertificateName): SubjectAttributes {
  const CN = name.role === 'device' ? name.device : `planner:${name.fleet}`
  return { CN, O: name.fleet, OU: name.role }
}

const subjectSchema = z.discriminatedUnion('OU', [
  z.strictObject({ OU: z.literal('device'), O: fleetSchema, CN: deviceIdSchema }),
  z.strictObject({ OU: z.literal('planner'), O: fleetSchema, CN: z.string() }),
])

/** `undefined` for a subject that is none of ours: other, missing or repeated attributes. */
export function nameFromSubject(subject: unknown): CertificateName | undefined {
  // Node's object has no prototype, and zod wants a plain one.
  const parsed = subjectSchema.safeParse({ ...(subject as object) })
  if (!parsed.success) return undefined
  const { OU: role, O: fleet, CN } = parsed.data
  if (role === 'device') return { role, fleet, device: CN }
  return CN === `planner:${fleet}` ? { role, fleet } : undefined
}

/** The only MQTT client id this name may connect with; a planner's ends with anything. */
export function mayConnectAs(name: CertificateName, clientId: string): boolean {
  return name.role === 'device'
    ? clientId === `${name.fleet}/${name.device}`
    : clientId.startsWith(`planner:${name.fleet}:`)
}

/**
 * The client id of a device at a broker elsewhere, which holds no client id against a certificate: whoever knows
 * one ends that session by connecting under it [MQTT-3.1.4-2], and a serial is random and shown inside TLS only.
 */
export function outsideClientId(
  { fleet, device }: { readonly fleet: string; readonly device: string },
  serial: string,
): string {
  return `device:${fleet}:${device}:${serial}`
}
