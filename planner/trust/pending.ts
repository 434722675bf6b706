import { z } from 'zod'
import { newId } from '../../shared/ids.ts'
import type { SigningKey } from '../../shared/signatures/index.ts'
import { DurableFolder } from './durable-folder.ts'
import { KeysError } from './errors.ts'
import { parseKeysFile } from './parse-keys-file.ts'
import {
  describeRequest,
  keyIdsOf,
  missingSignatures,
  type Signatures,
  signaturesSchema,
  signingRequestSchema,
  signRequest,
  withSignatures,
} from './signing-request.ts'

/** Metadata that becomes true together or not at all: the file to carry to where the keys lie. */
export const batchSchema = z.object({
  v: z.literal(1),
  id: z.string().max(64),
  what: z.string().max(200),
  requests: z.array(signingRequestSchema).min(1).max(1024),
})
export type Batch = z.infer<typeof batchSchema>

/** What comes back from there: one entry per request of the batch. */
export const batchSignaturesSchema = z.object({
  v: z.literal(1),
  batch: z.string().max(64),
  signatures: z.array(signaturesSchema).min(1).max(1024),
})
export type BatchSignatures = z.infer<typeof batchSignaturesSchema>

export function newBatch(what: string, requests: Batch['requests']): Batch {
  return { v: 1, id: newId(), what, requests }
}

/** @throws KeysError `malformed-request` */
export function parseBatch(text: string): Batch {
  return parseKeysFile(batchSchema, text, 'an exported signing request')
}

/** @throws KeysError `malformed-request` */
export function parseBatchSignatures(text: string): BatchSignatures {
  return parseKeysFile(batchSignaturesSchema, text, 'a file of signatures')
}

export function signBatch(batch: Batch, keys: readonly SigningKey[]): BatchSignatures {
  return {
    v: 1,
    batch: batch.id,
    signatures: batch.requests.map((request) => signRequest(request, keys)),
  }
}

/** @throws KeysError `malformed-request`, `bad-signature`; then the batch is as it was */
export function withBatchSignatures(batch: Batch, came: BatchSignatures): Batch {
  if (came.batch !== batch.id || came.signatures.length !== batch.requests.length) {
    throw new KeysError('malformed-request', 'these signatures belong to another request')
  }
  const requests = batch.requests.map((request, index) =>
    withSignatures(request, came.signatures[index] as Signatures),
  )
  return { ...batch, requests }
}

export function batchKeyIds({ requests }: Batch): string[] {
  return [...new Set(requests.flatMap(keyIdsOf))]
}

export function isComplete({ requests }: Batch): boolean {
  return requests.every((request) => missingSignatures(request).length === 0)
}

export function describeBatch(batch: Batch): string[] {
  return [batch.what, ...batch.requests.flatMap(describeRequest)]
}

/** Batches that wait, on disk: a ceremony may take days. */
export class PendingBatches {
  readonly #folder: DurableFolder

  constructor(dir: string) {
    this.#folder = new DurableFolder(dir)
  }

  async list(): Promise<Batch[]> {
    const batches: Batch[] = []
    for (const name of await this.#folder.list()) {
      const text = await this.#folder.read(name)
      if (text) batches.push(parseBatch(text.toString()))
    }
    return batches
  }

  async put(batch: Batch): Promise<void> {
    await this.#folder.write(`${batch.id}.json`, `${JSON.stringify(batch)}\n`, 0o600)
  }

  async remove(batch: Batch): Promise<void> {
    await this.#folder.remove(`${batch.id}.json`)
  }
}
