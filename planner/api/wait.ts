import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from './call.ts'

const LOOK_EVERY_MS = 200

/** Resolves when the condition holds, telling the caller meanwhile what the model is doing; rejects when the caller went away. */
export async function waitUntil(
  { engine, progress, signal }: Pick<Call, 'engine' | 'progress' | 'signal'>,
  model: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const stop = engine.progress.listen((event) => {
    if (event.model === model) progress({ what: event.what, done: event.done, total: event.total })
  })
  const either = AbortSignal.any([signal, engine.stopping])
  try {
    while (!(await condition())) await sleep(LOOK_EVERY_MS, undefined, { signal: either })
  } finally {
    stop()
  }
}
