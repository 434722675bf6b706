import { stat } from 'node:fs/promises'
import { digestOfFile } from '../../shared/digest.ts'
import { TrustError } from '../../shared/trust/index.ts'
import type { TrustedAssignment } from './device-trust.ts'

/** The last look before a file becomes a slot. @throws TrustError `partial-install`, `endless-data`, `arbitrary-software` */
export async function verifyArtifact(
  path: string,
  { artifact }: Pick<TrustedAssignment, 'artifact'>,
): Promise<void> {
  const size = await sizeOf(path)
  if (size < artifact.bytes) {
    throw new TrustError('partial-install', `only ${size} of ${artifact.bytes} bytes are here`, {
      path,
    })
  }
  if (size > artifact.bytes) {
    throw new TrustError('endless-data', `${size} bytes are here, ${artifact.bytes} were signed`, {
      path,
    })
  }
  if ((await digestOfFile(path)) === artifact.digest) return
  throw new TrustError('arbitrary-software', 'these are not the bytes that were signed', { path })
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw new TrustError('partial-install', 'nothing of it is here', { path }, { cause: error })
  }
}
