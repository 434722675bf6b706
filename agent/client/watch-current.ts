import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { socketPath } from './ask.ts'
import { type CurrentModel, readCurrent } from './current.ts'

/** What became of `current`. */
export interface CurrentChange {
  /** `switching`: about to name another variant, a moment in which a lock can be taken; `current`: it names this one. */
  readonly event: 'current' | 'switching'
  /** What it names, still or now; undefined: nothing. */
  readonly current: CurrentModel | undefined
}

/** Where no agent tells, the link is looked at so often, ms. */
const LOOK_MS = 1_000

const lineSchema = z.object({
  event: z.string().optional(),
  variant: z.string().nullable().optional(),
})

/**
 * The variant that a model's application shall run, at first and whenever that changes, until `signal` aborts. With a
 * running agent one is told before each switch too; without, and while it restarts, the link itself is watched.
 */
export async function* watchCurrent(
  stateDir: string,
  model: string,
  signal: AbortSignal,
): AsyncGenerator<CurrentChange> {
  let known: string | null | undefined
  const changed = async (): Promise<CurrentChange | undefined> => {
    const current = await readCurrent(stateDir, model)
    const variant = current?.slot.variant ?? null
    if (variant === known) return undefined
    known = variant
    return { event: 'current', current }
  }
  while (!signal.aborted) {
    for await (const event of noticesOf(stateDir, model, signal)) {
      if (event === 'switching') {
        yield { event, current: await readCurrent(stateDir, model) }
        continue
      }
      const change = await changed()
      if (change) yield change
    }
    const change = await changed()
    if (change) yield change
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
  }
}

/** Ends where no agent runs, or it leaves. */
async function* noticesOf(
  stateDir: string,
  model: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const socket = connect(socketPath(stateDir))
  const stop = () => socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  socket.setEncoding('utf8')
  socket.write(`subscribe ${model}\n`)
  let text = ''
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) yield lineSchema.parse(JSON.parse(line)).event ?? 'current'
    }
  } catch {
    // No agent: the link tells.
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
