export { HawkbitError } from './errors.ts'
export { ManagementApi } from './management-api.ts'
export { usualTargets } from './names.ts'
export { ACTION_TYPES, type Pushed, push } from './push.ts'
