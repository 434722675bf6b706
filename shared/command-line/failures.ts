import { CommanderError } from 'commander'
import {
  AppError,
  isSystemFailure,
  messageOf,
  oneLine,
  placeOf,
  reasonOf,
  UsageError,
} from '../errors.ts'

interface Failure {
  readonly code: string
  readonly message: string
  /** A bug, never something a user did: its stack is for the report. */
  readonly isOurs: boolean
  readonly exitCode: 1 | 2
}

/**
 * One line on standard error, `error [code]: …`; the stack only when asked for (FITMENT_DEBUG), or when the fault is ours.
 * @param say makes the commands that the line names work where it is read
 * @returns the exit code: 0 where help was asked for, 1 failed, 2 the command line was wrong
 */
export function reportFailure(
  error: unknown,
  stderr: NodeJS.WritableStream,
  say: (text: string) => string,
): 0 | 1 | 2 {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  // Who names a group of commands without one of them has been shown which there are.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2
  const { code, message, isOurs, exitCode } = failureOf(usageErrorOf(error))
  stderr.write(`error [${code}]: ${say(message)}\n`)
  if ((isOurs || process.env.FITMENT_DEBUG) && error instanceof Error) {
    stderr.write(`${error.stack ?? ''}\n`)
  }
  return exitCode
}

/** What the parser of command lines refused, in the form of all other refusals. */
function usageErrorOf(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error
  const said = oneLine(error.message.replace(/^error: /, ''))
  return new UsageError(`${said} (add --help for usage)`, {}, { cause: error })
}

function failureOf(error: unknown): Failure {
  if (error instanceof AppError) {
    const { code, message } = error
    const exitCode = error instanceof UsageError ? 2 : 1
    return { code, message, isOurs: code === 'invariant', exitCode }
  }
  if (isSystemFailure(error)) {
    const place = placeOf(error)
    const message = oneLine(`${place === undefined ? '' : `${place}: `}${reasonOf(error)}`)
    return { code: 'system', message, isOurs: false, exitCode: 1 }
  }
  return { code: 'internal', message: oneLine(messageOf(error)), isOurs: true, exitCode: 1 }
}
