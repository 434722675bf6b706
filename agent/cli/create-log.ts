import { constants, fstatSync, openSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { z } from 'zod'
import { parseJson } from '../../shared/json.ts'

/** JSON lines where a machine reads, plain lines where a person does. Always on standard error. */
export function createLog(level: string, stderr: NodeJS.WriteStream): Logger {
  const options = { level, base: null }
  if (!stderr.isTTY) {
    const destination = pino.destination({
      dest: unblockedStderr(),
      // An agent that is killed has written what it said.
      sync: true,
      // What a reader that has stopped reading finds when it goes on; the rest is lost.
      maxLength: MOST_UNREAD_BYTES,
      retryEAGAIN: () => false,
    })
    // A log that nobody reads any more stops no agent.
    destination.on('error', () => {})
    return pino(options, destination)
  }
  return pino(options, { write: (line: string) => void stderr.write(`${readable(line)}\n`) })
}

const MOST_UNREAD_BYTES = 256 * 1024

/** A pipe whose reader is slow, frozen or full must not freeze who writes: opened anew, it says so instead. */
function unblockedStderr(): number {
  if (!fstatSync(2).isFIFO()) return 2
  try {
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return 2
  }
}

const lineSchema = z.looseObject({
  level: z.number(),
  time: z.number(),
  msg: z.string().default(''),
})

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info ',
  40: 'WARN ',
  50: 'ERROR',
}

/** `22:14:03 info  connected  broker=mqtt://… ` */
export function readable(line: string): string {
  const { level, time, msg, ...facts } = parseJson(lineSchema, line)
  const clock = new Date(time).toTimeString().slice(0, 8)
  const rest = Object.entries(facts)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  return `${clock} ${LEVEL_NAMES[level] ?? level} ${msg}${rest && `  ${rest}`}`
}
