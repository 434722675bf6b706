import type { DeviceId } from '../../shared/ids.ts'
import type { Birth } from '../../shared/messages/index.ts'

/** What a device said of itself. */
export interface Born {
  readonly device: DeviceId
  readonly birth: Birth
}
