import type { Logger } from 'pino'

/** The four calls the agent makes of its logger. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
