import {
  type MetadataOf,
  STATEMENT_FIELD,
  type Statement,
  statementSchema,
  type TopRole,
  TrustError,
} from '../../shared/trust/index.ts'
import type { ExtraCheck } from './trusted-set.ts'

/** To whom the director speaks, and when. @throws TrustError `malformed-metadata` */
export function statementOf(metadata: { signed: MetadataOf<TopRole>['signed'] }): Statement {
  const statement = statementSchema.safeParse(metadata.signed.unrecognizedFields[STATEMENT_FIELD])
  if (statement.success) return statement.data
  throw new TrustError('malformed-metadata', 'the director does not say which device it speaks to')
}

/** Everything of the director but its root, which all devices share, must be meant for this device. */
export function spokenTo(device: string): ExtraCheck {
  return (role, metadata) => {
    if (role === 'root') return
    const statement = statementOf(metadata)
    if (statement.device === device) return
    throw new TrustError(
      'replayed-assignment',
      `${role} of the director was signed for ${statement.device}, but this is ${device}`,
      { device: statement.device },
    )
  }
}
