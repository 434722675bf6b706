export { askAgent, socketPath } from './ask.ts'
export { type CurrentModel, readCurrent } from './current.ts'
export { type Lock, ModelLocks } from './locks.ts'
export { isAlive, type ProcessIdentity, parseIdentity } from './process-identity.ts'
