import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import type { Birth, Epoch, Order, Report } from '../../shared/messages/index.ts'

/** Whether a device that came is to be told something. */
export interface Awaiting {
  /** Orders that it has not acknowledged. */
  readonly orders: boolean
  /** Captured samples that are wanted of it, or that it need not keep. */
  readonly samples: boolean
}

/**
 * What the MQTT side of the planner needs to remember. The database implements it; everything here is
 * idempotent, because messages arrive twice, late and out of order.
 */
export interface FleetStore {
  /** A session began; births of an older connection of the same start are ignored. Answers what awaited the device then. */
  recordBirth(device: DeviceId, birth: Birth): Promise<Awaiting>
  /** A session ended; ignored unless the epoch is the device's present one. */
  recordDeath(device: DeviceId, epoch: Epoch): Promise<void>
  /** Durable when the promise resolves; only then is a receipt sent. */
  recordReport(device: DeviceId, report: Report): Promise<'new' | 'duplicate'>
  /** Garbage from a device: kept for `fitment devices` and the audit, rate limited. */
  recordGarbage(device: DeviceId, channel: string, reason: string): Promise<void>
  /** More than one machine uses this identity: for `fitment devices` and the audit. */
  recordDouble(device: DeviceId): Promise<void>
  isOnline(device: DeviceId): Promise<boolean>
  /** Every device that ever said birth: asked for another when the link comes up. */
  knownDevices(): Promise<readonly DeviceId[]>
  /** Orders of the outbox that the device has not acknowledged, oldest first, without these. */
  pendingOrders(device: DeviceId, except?: readonly string[]): Promise<readonly Order[]>
  /** May this device fetch this artifact: only what an open order of its names. */
  mayFetch(device: DeviceId, artifact: Digest): Promise<boolean>
  /** The artifact's bytes (a block list is an artifact too), to be closed; undefined when unknown. */
  openArtifact(artifact: Digest): Promise<FileHandle | undefined>
}

/** A captured sample that is wanted of a device. */
export interface CollectedSample {
  readonly model: string
  readonly digest: Digest
  readonly bytes: number
  /** Bytes that are here: whole blocks from the first, or all. */
  readonly here: number
}

/** Where captured samples of devices go. */
export interface SampleDesk {
  /** Something is wanted of this device, or it is to be told something. Asked of all that come at once together. */
  concerns(device: DeviceId): Promise<boolean>
  /** `undefined`: nothing is wanted now; `no-room`: later. */
  next(device: DeviceId): Promise<CollectedSample | 'no-room' | undefined>
  /** False where the disk is full. */
  append(
    device: DeviceId,
    sample: CollectedSample,
    position: number,
    block: Uint8Array,
  ): Promise<boolean>
  /** All blocks are here. Why it is refused; `undefined`: it is kept. */
  finish(device: DeviceId, sample: CollectedSample): Promise<string | undefined>
  /** Samples that the device need not keep for us, and does not know it. */
  untold(device: DeviceId): Promise<readonly Digest[]>
  told(device: DeviceId, digests: readonly Digest[]): Promise<void>
}

/** What the fleet side offers the rest of the planner. */
export interface FleetLink {
  /** New orders are in the outbox of this device: send them now if it is online. */
  nudge(device: DeviceId): void
  /** These devices are this planner's from now on: each is asked who it is, and so is who said birth before. */
  ask(devices: readonly DeviceId[]): void
  /** Some devices are another planner's by now. */
  letGo(): void
  /** It said a birth on the present link, and has not gone since. */
  hears(device: DeviceId): boolean
  close(): Promise<void>
}
