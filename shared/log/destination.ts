import { constants, fstatSync, openSync } from 'node:fs'
import { type DestinationStream, pino } from 'pino'

/** What a reader that has stopped reading finds when it goes on; the rest is lost. */
const MOST_UNREAD_BYTES = 256 * 1024

/** Standard error for a log of JSON lines that stops nobody: not where its pipe is full, its disk, or its reader gone. */
export function logDestination(): DestinationStream {
  const destination = pino.destination({
    dest: unblockedStderr(),
    // A process that is killed has written what it said.
    sync: true,
    maxLength: MOST_UNREAD_BYTES,
    retryEAGAIN: () => false,
  })
  destination.on('error', () => {})
  return destination
}

/** A pipe whose reader is slow, frozen or full must not freeze who writes: opened anew, it says so instead. */
function unblockedStderr(): number {
  if (!fstatSync(2).isFIFO()) return 2
  try {
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return 2
  }
}
