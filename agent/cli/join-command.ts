import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { reasonOf, UsageError } from '../../shared/errors.ts'
import { certificatesIn, factsOf } from '../../shared/identity/index.ts'
import { deviceIdSchema } from '../../shared/ids.ts'
import { shellWord } from '../../shared/started-as.ts'
import type { DeviceIdentity } from '../identity/index.ts'
import { joinFleet } from '../identity/join.ts'
import { renewIdentity } from '../identity/renew.ts'

const TIMEOUT_MS = 30_000

interface JoinFlags {
  readonly token: string
  readonly stateDir: string
  readonly device?: string
  /** Files of what the device was made with. */
  readonly certificate?: string
  readonly key?: string
  readonly json?: boolean
  /** Makes commands in texts for people work where they are read. */
  readonly say: (text: string) => string
}

/** @throws IdentityError, UsageError */
export async function joinWithToken(
  { token: given, stateDir, device, certificate, key, json, say }: JoinFlags,
  {
    stdin,
    stdout: out,
  }: { readonly stdin: NodeJS.ReadableStream; readonly stdout: NodeJS.WritableStream },
): Promise<void> {
  if (device !== undefined && !deviceIdSchema.safeParse(device).success) {
    throw new UsageError(`--device: "${device}" is no name: letters, digits, _ . - and at most 64`)
  }
  // What stands on a command line can be read by everybody on this machine.
  const token = given === '-' ? (await text(stdin)).trim() : given
  const endorsement = readEndorsement(certificate, key)
  const identity = await joinFleet({ token, device, stateDir, timeoutMs: TIMEOUT_MS, endorsement })
  tell(identity, stateDir, json, out, [
    `joined fleet ${identity.fleet} as ${identity.device}; now:`,
    say(`  fitment-agent run --state-dir ${shellWord(stateDir)}`),
  ])
}

/** @throws UsageError for files that cannot be read, or do not belong together */
function readEndorsement(certificate: string | undefined, key: string | undefined) {
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    throw new UsageError('--certificate and --key go together')
  }
  const certificates = reading(certificate, (text) => certificatesIn(text))
  const privateKey = reading(key, (text) => createPrivateKey(text))
  const [own] = certificates
  if (own === undefined) throw new UsageError(`${certificate} holds no certificate in PEM`)
  if (own.checkPrivateKey(privateKey)) return { certificates, key: privateKey }
  throw new UsageError(
    `${key} is not the key of ${certificate}: the first certificate there is the device's`,
  )
}

function reading<T>(file: string, read: (text: string) => T): T {
  try {
    return read(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`cannot use ${file}: ${reasonOf(error)}`)
  }
}

/** @throws IdentityError */
export async function renewNow(
  { stateDir, json }: Pick<JoinFlags, 'stateDir' | 'json'>,
  out: NodeJS.WritableStream,
): Promise<void> {
  const identity = await renewIdentity(stateDir, TIMEOUT_MS)
  const until = validUntil(identity)
  tell(identity, stateDir, json, out, [`${identity.device} has a new certificate until ${until}`])
}

function tell(
  identity: DeviceIdentity,
  stateDir: string,
  json: boolean | undefined,
  out: NodeJS.WritableStream,
  forPeople: readonly string[],
): void {
  const { broker, fleet, device } = identity
  const facts = { broker, fleet, device, stateDir, validUntil: validUntil(identity) }
  out.write(`${json ? JSON.stringify(facts, null, 2) : forPeople.join('\n')}\n`)
}

function validUntil({ certificate }: DeviceIdentity): string {
  return factsOf(new X509Certificate(certificate)).notAfter.toISOString()
}
