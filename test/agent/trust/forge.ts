import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DurableStore } from '../../../agent/trust/durable-store.ts'
import { DeviceTrust, type DeviceTrustOptions } from '../../../agent/trust/index.ts'
import { RepositoryClient } from '../../../agent/trust/repository-client.ts'
import { type DirectedVariant, directorFiles } from '../../../planner/trust/director.ts'
import type { ReleasedVariant } from '../../../planner/trust/documents.ts'
import type { KeyPlan, PolicyChange, TrustAuthority } from '../../../planner/trust/index.ts'
import { TrustAuthority as Authority } from '../../../planner/trust/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { generateKeyPair, type SigningKey } from '../../../shared/signatures/index.ts'
import {
  anchorDigest,
  type Offer,
  parseMetadata,
  printMetadata,
  signerOf,
  type TopRole,
  type TrustAnchor,
  tufKeyId,
} from '../../../shared/trust/index.ts'

export const DAY_MS = 24 * 60 * 60 * 1000
export const START = new Date('2026-11-23T12:00:00Z')
/** Cheap scrypt: the cost is no subject of these tests. */
export const SCRYPT = { N: 2 ** 10, r: 8, p: 1 }

/** A clock that tests set. `pass` is time that really goes by; `set` is somebody turning the hands. */
export class TestClock {
  #wall: number
  #monotonic = 5_000
  constructor(at: Date = START) {
    this.#wall = at.getTime()
  }
  now = (): Date => new Date(this.#wall)
  monotonic = (): number => this.#monotonic
  pass(ms: number): void {
    this.#wall += ms
    this.#monotonic += ms
  }
  set(at: Date): void {
    this.#wall = at.getTime()
  }
}

export const NEWEST: ReleasedVariant = variantOf('ic01', 'the bytes of release 2', 2)
export const OLDER: ReleasedVariant = variantOf('ic01', 'the bytes of release 1', 1)

export function variantOf(model: string, content: string, releaseCounter: number): ReleasedVariant {
  return {
    model,
    digest: digestOf(content),
    bytes: content.length,
    blockList: digestOf(`list of ${content}`),
    runtime: 'litert',
    scheme: 'static-w8a8',
    releaseCounter,
    classes: ['pi4', 'pi5'],
    selfTest: null,
  }
}

/** What the director says about a released variant when it is honest. */
export function directed(
  variant: ReleasedVariant,
  counter = 1,
  changes: Partial<DirectedVariant> = {},
) {
  const { classes: _classes, ...rest } = variant
  return { ...rest, class: 'pi4', counter, ...changes }
}

/** A planner's side with everything released that the tests need. */
export async function openAuthority(
  dir: string,
  clock: TestClock,
  plan?: KeyPlan,
): Promise<TrustAuthority> {
  const authority = new Authority({ dir, now: clock.now, scrypt: SCRYPT })
  await publish(authority, await authority.init(plan))
  await publish(authority, await authority.release({ ic01: [OLDER, NEWEST] }))
  return authority
}

export async function publish(
  authority: TrustAuthority,
  batch: Awaited<ReturnType<TrustAuthority['init']>>,
): Promise<void> {
  await authority.publish(await authority.sign(batch))
}

/** The change that puts a new key, made now, in the place of the one with this name. */
export async function replaced(authority: TrustAuthority, name: string): Promise<PolicyChange> {
  const old = await authority.keys.publicKey(name)
  const { trusted } = await authority.keys.generate(`${name}-next`)
  return { add: [trusted], remove: [tufKeyId(old)] }
}

/** As after a first offer: the device has the roots it was set up to believe. */
export async function adopt(deviceDir: string, anchor: TrustAnchor): Promise<void> {
  for (const name of ['director', 'image'] as const) {
    const client = new RepositoryClient({ store: new DurableStore(join(deviceDir, name)) })
    await client.adopt(Buffer.from(anchor[name]))
  }
}

export interface Scene {
  readonly clock: TestClock
  readonly authority: TrustAuthority
  readonly deviceDir: string
  readonly device: DeviceTrust
  /** An honest offer of this version: run the newest release. */
  offer(version: number, variants?: ReturnType<typeof directed>[], device?: string): Promise<Offer>
  /** The director's own files, signed with its real key but saying anything. */
  directorSays(
    version: number,
    variants: ReturnType<typeof directed>[],
    device?: string,
  ): Promise<Offer['director']>
  key(name: string): Promise<SigningKey>
  reopen(changes?: Partial<DeviceTrustOptions>): Promise<DeviceTrust>
}

/** A planner and a device that trusts it, in two folders below `dir`. */
export async function openScene(
  dir: string,
  changes: Partial<DeviceTrustOptions> = {},
): Promise<Scene> {
  const clock = new TestClock()
  const authority = await openAuthority(join(dir, 'planner'), clock)
  const deviceDir = join(dir, 'device')
  const first = await authority.anchor()
  await adopt(deviceDir, first)
  const anchor = anchorDigest(first)
  const reopen = (more: Partial<DeviceTrustOptions> = {}) =>
    DeviceTrust.open({
      dir: deviceDir,
      device: 'dev1',
      class: 'pi4',
      runtimes: ['litert'],
      anchor,
      clock,
      ...changes,
      ...more,
    })
  const since = { director: 0, image: 0 }
  return {
    clock,
    authority,
    deviceDir,
    device: await reopen(),
    reopen,
    offer: (version, variants = [directed(NEWEST)], device = 'dev1') =>
      authority.offer({ device, version, variants }, since),
    directorSays: async (version, variants, device = 'dev1') => {
      const root = parseMetadata('root', await readFile(join(dir, 'planner/director/1.root.json')))
      const keys = [await authority.keys.open('director')]
      return directorFiles(
        { device, version, variants, issuedAt: clock.now(), days: 7 },
        keys,
        root,
      )
    },
    key: (name) => authority.keys.open(name),
  }
}

/** The file with its signed part changed, signed again by these keys only. */
export function forged(
  kind: TopRole,
  text: string,
  change: (signed: Record<string, unknown>) => void,
  keys: readonly SigningKey[],
): string {
  const { signed } = JSON.parse(text) as { signed: Record<string, unknown> }
  change(signed)
  const metadata = parseMetadata(kind, Buffer.from(JSON.stringify({ signed, signatures: [] })))
  for (const key of keys) metadata.sign(signerOf(key))
  return printMetadata(metadata).toString()
}

/** As `forged`, for what no honest reader of ours would even parse: signatures stay as they are. */
export function scribbled(
  text: string,
  change: (file: { signed: Record<string, unknown> }) => void,
): string {
  const file = JSON.parse(text) as { signed: Record<string, unknown> }
  change(file)
  return JSON.stringify(file)
}

export const stranger = generateKeyPair()

export function fileOf(files: Readonly<Record<string, string>>, ending: string): string {
  const name = Object.keys(files)
    .filter((file) => file.endsWith(ending))
    .sort(byVersion)
    .pop()
  if (name === undefined) throw new Error(`the offer has no ${ending}`)
  return name
}

function byVersion(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10)
}

/** The offer with one of the files changed. */
export function withFile(
  offer: Offer,
  repository: keyof Offer,
  ending: string,
  change: (text: string) => string,
): Offer {
  const files = offer[repository]
  const name = fileOf(files, ending)
  return { ...offer, [repository]: { ...files, [name]: change(files[name] ?? '') } }
}
