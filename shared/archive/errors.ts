import { AppError } from '../errors.ts'

/** A member of an archive that is not what the archive's directory says. */
export class ArchiveError extends AppError {
  readonly code = 'damaged-archive'
}
