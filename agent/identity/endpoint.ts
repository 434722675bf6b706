import type { Endpoint } from '../link/index.ts'
import { openTrusted } from './broker-socket.ts'
import { type DeviceIdentity, readIdentity } from './identity-file.ts'

/** The way to the broker this device joined; each connection shows the certificate of the moment. */
export function identityEndpoint(stateDir: string, identity: DeviceIdentity): Endpoint {
  let present = identity
  return {
    url: identity.broker,
    username: undefined,
    password: undefined,
    open() {
      try {
        present = readIdentity(stateDir) ?? present
      } catch {
        // What was read last is as good as any until the file can be read again.
      }
      const { broker, authority, certificate: cert, key } = present
      return openTrusted(broker, authority, { cert, key })
    },
  }
}
