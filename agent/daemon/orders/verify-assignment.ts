import { readFile } from 'node:fs/promises'
import type { OrderOf } from '../../../shared/messages/index.ts'
import {
  MAX_IMAGE_FILES_BYTES,
  type Offer,
  parseImageFiles,
  TRUST_LIMITS,
  TrustError,
} from '../../../shared/trust/index.ts'
import { ArtifactError } from '../../artifacts/index.ts'
import type { Installable } from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { wantedArtifacts } from '../install/wanted-artifacts.ts'
import type { MetadataPatience } from './metadata-patience.ts'

export const METADATA_PATIENCE: MetadataPatience = {
  silenceMs: 120_000,
  wholeMs: TRUST_LIMITS.refreshMs,
}

/**
 * What an order assigns, once both repositories vouch for it: nothing is downloaded before but metadata.
 * @throws TrustError named after the attack it looks like
 */
export async function verifyAssignment(
  order: OrderOf<'assign'>,
  context: AgentContext,
): Promise<Installable> {
  const { assignments } = await context.trust.verifyOffer(await wholeOffer(order, context))
  const assignment = assignments.find(({ model }) => model === order.model)
  if (assignment?.variant === order.variant) return assignment
  const assigned = assignment ? `variant ${assignment.variant.slice(0, 12)}` : 'nothing'
  throw new TrustError(
    'mix-and-match',
    `the order speaks of ${order.model} ${order.variant.slice(0, 12)}, the director assigns ${assigned}`,
  )
}

/** Metadata that did not fit into the message is fetched as any artifact is. */
async function wholeOffer(
  { offer, image }: OrderOf<'assign'>,
  { store, ledger, leaving, patience }: AgentContext,
): Promise<Offer> {
  if (!image) return offer
  if (image.bytes > MAX_IMAGE_FILES_BYTES) {
    throw new TrustError(
      'endless-data',
      `${image.bytes} bytes of metadata are announced, over ${MAX_IMAGE_FILES_BYTES}`,
    )
  }
  const late = AbortSignal.timeout(patience.wholeMs)
  const signal = AbortSignal.any([leaving, late])
  try {
    const file = await store.fetch(image, { giveUpMs: patience.silenceMs, signal })
    const files = parseImageFiles(await readFile(file))
    return { ...offer, image: { ...offer.image, ...files } }
  } catch (error) {
    if (late.aborted && !leaving.aborted) {
      throw new TrustError('slow-retrieval', 'metadata came so slowly that it was given up')
    }
    throw asAttack(error)
  } finally {
    await store.forget(image.digest)
    await store.collectPartials(wantedArtifacts(ledger.journal))
  }
}

function asAttack(error: unknown): unknown {
  if (!(error instanceof ArtifactError)) return error
  if (error.code === 'download-stalled') {
    return new TrustError('drop-request', `metadata did not come: ${error.message}`)
  }
  if (error.code !== 'wrong-digest') return error
  return new TrustError('mix-and-match', `metadata is not what was announced: ${error.message}`)
}
