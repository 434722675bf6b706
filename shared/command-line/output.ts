import { isDiskFull, reasonOf } from '../errors.ts'

type Output = Pick<NodeJS.Process, 'stdout' | 'stderr'> & { exit(code: number): void }

const optional = new WeakSet<object>()

/**
 * What becomes of a program whose words reach nobody. A reader that has seen enough (`… | head`) is no error; anything
 * else that hinders the result is one, since who asked for it has half of it. Standard error that nobody takes stops
 * nothing. Call it once, before anything is written.
 */
export function guardOutput({ stdout, stderr, exit }: Output): void {
  stderr.on('error', () => {})
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (optional.has(stdout)) return
    if (error.code === 'EPIPE') return exit(0)
    const advice = isDiskFull(error) ? 'free some, then ask again' : 'name another place for it'
    stderr.write(
      `error [output-failed]: the result cannot be written: ${reasonOf(error)}; ${advice}\n`,
    )
    exit(1)
  })
}

/** For services: what they say on the way is worth no stop. */
export function goOnWithout(stream: NodeJS.WritableStream): void {
  optional.add(stream)
}
