import { AppError } from '../../shared/errors.ts'

/** A profile file, or the folder of profiles, cannot be used: names file and field. */
export class ProfileError extends AppError {
  readonly code = 'firmware-profile'
}
