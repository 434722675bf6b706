import { type Logger, pino } from 'pino'
import { z } from 'zod'
import { parseJson } from '../../shared/json.ts'
import { logDestination } from '../../shared/log/index.ts'

/** JSON lines where a machine reads, plain lines where a person does. Always on standard error. */
export function createLog(level: string, stderr: NodeJS.WriteStream): Logger {
  const options = { level, base: null }
  if (!stderr.isTTY) return pino(options, logDestination())
  return pino(options, { write: (line: string) => void stderr.write(`${readable(line)}\n`) })
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
