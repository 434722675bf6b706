import type { Digest } from '../../shared/digest.ts'
import { AppError, errnoOf, messageOf } from '../../shared/errors.ts'

export type ArtifactErrorCode =
  /** The budget or the file system has no room for it; known before anything is fetched. */
  | 'storage-full'
  /** The disk filled up while writing. */
  | 'disk-full'
  | 'read-only'
  /** Any other failure of the file system. */
  | 'storage-failed'
  /** Bytes that are not those the digest names. */
  | 'wrong-digest'
  /** Connected, asked again and again, and nothing came. */
  | 'download-stalled'
  /** Stopped on purpose: shutdown, a newer order, a cancelled probe. */
  | 'aborted'
  | 'slot-missing'
  /** The file system has no symbolic links: `current` could not be one. */
  | 'no-symlinks'
  /** The file system does not tell two models apart whose names differ in capitals. */
  | 'name-taken'

export class ArtifactError extends AppError {
  readonly code: ArtifactErrorCode

  constructor(
    code: ArtifactErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

export function abortedError(artifact: Digest): ArtifactError {
  return new ArtifactError('aborted', `the download of ${artifact.slice(0, 12)} was stopped`, {
    artifact,
  })
}

const CODE_OF_ERRNO: Readonly<Record<string, ArtifactErrorCode>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'read-only',
}

/** A failure of the file system as one line; an error that already is one stays as it is. */
export function storageError(error: unknown, doing: string): ArtifactError {
  if (error instanceof ArtifactError) return error
  const errno = errnoOf(error)
  const code = CODE_OF_ERRNO[errno ?? ''] ?? 'storage-failed'
  return new ArtifactError(
    code,
    `${doing}: ${ADVICE[code] ?? messageOf(error)}`,
    { errno },
    {
      cause: error,
    },
  )
}

const ADVICE: Readonly<Partial<Record<ArtifactErrorCode, string>>> = {
  'disk-full': 'the disk is full; free some space on the file system of the state directory',
  'read-only': 'the file system of the state directory is read-only; remount it writable',
}
