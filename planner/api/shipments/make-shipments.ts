import { type ArtifactRef, blockCount } from '../../../shared/artifact.ts'
import { parseJson } from '../../../shared/json.ts'
import { type ShippedVariant, shipmentStatementSchema } from '../../../shared/trust/index.ts'
import { type ConductorContext, shippable } from '../../conductor/index.ts'
import { audit } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { ShipmentView } from '../contract/shipment-operations.ts'

const DIGEST_BYTES = 32

/** Signs, for each class, what another updater may bring to its devices. */
export async function makeShipments(
  { class: only }: OperationInput<'shipments.make'>,
  { context, actor }: Call,
): Promise<OperationOutput<'shipments.make'>> {
  const all = (await shippable(context)).filter(
    ({ class: id }) => only === undefined || id === only,
  )
  if (all.length === 0) {
    const whom = only === undefined ? '' : ` to devices of class ${only}`
    throw new ApiError('nothing-to-do', `nothing was rolled out${whom}: fitment rollout start`)
  }
  const shipments: ShipmentView[] = []
  for (const name of new Set(all.map((one) => one.class))) {
    const variants = all.flatMap(({ class: id, shipped }) =>
      id === name && !('why' in shipped) ? [shipped] : [],
    )
    if (variants.length > 0) shipments.push(await shipmentFor(context, name, variants))
  }
  for (const { class: subject, variants } of shipments) {
    const detail = { variants: variants.map(({ model, digest }) => ({ model, digest })) }
    await audit.writeAudit(
      context.db,
      { actor, action: 'shipment.signed', subject, detail },
      context.now(),
    )
  }
  const left = all.flatMap(({ class: id, model, shipped }) =>
    'why' in shipped ? [{ class: id, model, why: shipped.why }] : [],
  )
  return { shipments, left }
}

async function shipmentFor(
  { trust }: ConductorContext,
  name: string,
  variants: readonly ShippedVariant[],
): Promise<ShipmentView> {
  const shipment = await trust.ship({ class: name, variants })
  const { issuedAt, expires } = parseJson(shipmentStatementSchema, shipment.vouched.payload)
  const timestamp = JSON.parse(shipment.image['timestamp.json'] ?? '{}')
  const earliest = [expires, String(timestamp.signed?.expires ?? expires)].sort()[0] ?? expires
  return {
    class: name,
    issuedAt,
    expires: earliest,
    variants: variants.map(
      ({ model, revision = null, scheme, runtime, digest, bytes, ...rest }) => ({
        ...{ model, revision, scheme, runtime, digest, bytes },
        files: filesOf({ model, runtime, digest, bytes, ...rest }),
      }),
    ),
    shipment: JSON.stringify(shipment),
  }
}

/** The file itself and what stands beside it, each with the list of its blocks. */
function filesOf(variant: FilesOf): ShipmentView['variants'][number]['files'] {
  const { model, digest, bytes, blockList, selfTest, labels, sketch } = variant
  const named: readonly (readonly [string, ArtifactRef | null | undefined])[] = [
    ['model', { digest, bytes, blockList }],
    ['selftest', selfTest],
    ['labels', labels],
    ['sketch', sketch],
  ]
  const files = named.flatMap(([what, ref]) => {
    if (!ref) return []
    const name = `${model}.${what}.${ref.digest.slice(0, 12)}`
    const blocks = { digest: ref.blockList, bytes: blockCount(ref.bytes) * DIGEST_BYTES }
    return [
      { digest: ref.digest, bytes: ref.bytes, name },
      { ...blocks, name: `${name}.blocks` },
    ]
  })
  return [...new Map(files.map((file) => [file.digest, file])).values()]
}

type FilesOf = Omit<ShippedVariant, 'scheme' | 'releaseCounter' | 'revision'>
