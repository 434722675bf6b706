export { identityEndpoint } from './endpoint.ts'
export { type DeviceIdentity, readIdentity } from './identity-file.ts'
export { type KeepRenewedOptions, keepRenewed } from './keep-renewed.ts'
