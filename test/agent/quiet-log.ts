import { pino } from 'pino'

/** Silent unless FITMENT_TEST_LOG names a level. */
export const log = pino({ level: process.env.FITMENT_TEST_LOG ?? 'silent' }, pino.destination(2))
