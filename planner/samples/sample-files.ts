import { mkdir, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../shared/digest.ts'
import { settle, syncFile } from '../../shared/durable/index.ts'
import { isMissing } from '../../shared/errors.ts'
import type { DeviceId } from '../../shared/ids.ts'
import { BLOCK_BYTES } from '../../shared/messages/index.ts'

const PART = '.part'

function folderOf(data: string, device: DeviceId): string {
  return join(data, 'samples', device)
}

function partOf(data: string, device: DeviceId, digest: Digest): string {
  return join(folderOf(data, device), `${digest}${PART}`)
}

/** Bytes of a sample that was collected; `undefined` where its file is gone. */
export async function readSample(
  data: string,
  device: DeviceId,
  digest: Digest,
): Promise<Buffer | undefined> {
  return await readFile(join(folderOf(data, device), digest)).catch(missing)
}

/** How much of it is here, in whole blocks; what a cut of power left beyond is cut off. */
export async function bytesHere(
  data: string,
  device: DeviceId,
  digest: Digest,
  bytes: number,
): Promise<number> {
  const part = partOf(data, device, digest)
  const size = (await stat(part).catch(missing))?.size ?? 0
  if (size === bytes) return size
  const whole = size > bytes ? 0 : size - (size % BLOCK_BYTES)
  if (whole < size) await truncate(part, whole)
  return whole
}

export async function writeBlock(
  data: string,
  device: DeviceId,
  digest: Digest,
  position: number,
  block: Uint8Array,
): Promise<void> {
  await mkdir(folderOf(data, device), { recursive: true, mode: 0o700 })
  const file = await open(partOf(data, device, digest), position === 0 ? 'w' : 'r+', 0o600)
  try {
    for (let at = 0; at < block.length; ) {
      const { bytesWritten } = await file.write(block, at, block.length - at, position + at)
      at += bytesWritten
    }
  } finally {
    await file.close()
  }
}

export async function readPart(
  data: string,
  device: DeviceId,
  digest: Digest,
): Promise<Buffer | undefined> {
  return await readFile(partOf(data, device, digest)).catch(missing)
}

/** On disk under its name when it resolves. */
export async function settlePart(data: string, device: DeviceId, digest: Digest): Promise<void> {
  const part = partOf(data, device, digest)
  await syncFile(part)
  await settle(part, join(folderOf(data, device), digest))
}

export async function removeSample(data: string, device: DeviceId, digest: Digest): Promise<void> {
  await rm(join(folderOf(data, device), digest), { force: true })
  await rm(partOf(data, device, digest), { force: true })
}

export async function devicesHere(data: string): Promise<readonly DeviceId[]> {
  return (await readdir(join(data, 'samples')).catch(missing)) ?? []
}

/** Digests of files of a device, half collected ones too. */
export async function samplesHere(data: string, device: DeviceId): Promise<readonly Digest[]> {
  const names = (await readdir(folderOf(data, device)).catch(missing)) ?? []
  return names.map((name) => (name.endsWith(PART) ? name.slice(0, -PART.length) : name))
}

export async function removeFolder(data: string, device: DeviceId): Promise<void> {
  await rm(folderOf(data, device), { recursive: true, force: true })
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}
