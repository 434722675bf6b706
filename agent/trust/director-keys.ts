import type { TrustedKey } from '../../shared/signatures/index.ts'
import { type TufKey, trustedKeyOf } from '../../shared/trust/index.ts'
import type { RootSigned } from './repository-client.ts'

/** Keys that may say what a device shall do. Keys of other kinds than ours sign nothing beside metadata. */
export function directorKeys({ roles, keys }: RootSigned): TrustedKey[] {
  return (roles.targets?.keyIDs ?? []).flatMap((keyId) => {
    const { keyType, keyVal } = keys[keyId] ?? {}
    if (keyType !== 'ed25519' || keyVal?.public === undefined) return []
    const key: TufKey = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: keyVal.public } }
    return [trustedKeyOf(key)]
  })
}
