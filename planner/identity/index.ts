export { AUTHORITY_FILES, type Authority, openAuthority } from './authority.ts'
export { type Enrollment, type JoinTransport, openEnrollment } from './enrollment.ts'
export { type Invitation, type InvitePlace, invite } from './invite.ts'
export { issue, type Subject } from './issue.ts'
export * from './operators.ts'
export {
  DEVICE_CERTIFICATE_DAYS,
  IDENTITY_FOLDER,
  openPlannerIdentity,
  type PlannerIdentity,
} from './planner-identity.ts'
export { Registrar, type RegistrarOptions } from './registrar.ts'
export { type Revocation, Revocations } from './revocations.ts'
export * from './roles.ts'
export {
  ensureServerCertificate,
  SERVER_FILE,
  type ServerCertificate,
  serverNames,
} from './server-certificate.ts'
export type { ServerTls } from './server-tls.ts'
export * from './sessions.ts'
