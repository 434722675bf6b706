import { X509Certificate } from 'node:crypto'
import { outsideClientId } from '../../shared/identity/index.ts'
import type { Endpoint } from '../link/index.ts'
import { openTrusted } from './broker-socket.ts'
import { type DeviceIdentity, readIdentity } from './identity-file.ts'

/** The way to the broker this device joined; each connection shows the certificate of the moment. */
export function identityEndpoint(stateDir: string, identity: DeviceIdentity): Endpoint {
  let present = identity
  const refresh = () => {
    try {
      present = readIdentity(stateDir) ?? present
    } catch {
      // What was read last is as good as any until the file can be read again.
    }
    return present
  }
  return {
    url: identity.broker,
    username: undefined,
    password: undefined,
    // A door of its own is what a broker elsewhere has.
    ...(identity.door !== undefined && {
      clientId: () => outsideClientId(identity, serialOf(refresh())),
    }),
    certificate: () => {
      const { certificate: cert, key } = refresh()
      return { cert, key }
    },
    open() {
      const { broker, authority, certificate: cert, key } = refresh()
      return openTrusted(broker, authority, { cert, key })
    },
  }
}

function serialOf({ certificate }: DeviceIdentity): string {
  return new X509Certificate(certificate).serialNumber
}
