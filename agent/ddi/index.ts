export type { DdiSettings } from './api.ts'
export { DdiClient, type DdiOptions } from './client.ts'
export * from './errors.ts'
export type { Outcome, Recipient } from './recipient.ts'
