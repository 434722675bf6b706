import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from './call.ts'

const LOOK_EVERY_MS = 200

/** Resolves when the condition holds, telling the caller meanwhile what the model is doing; rejects when the caller went away. */
export async function waitUntil(
  { context, progress, signal }: Pick<Call, 'context' | 'progress' | 'signal'>,
  model: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const stop = context.progress.listen((event) => {
    if (event.model === model) progress({ what: event.what, done: event.done, total: event.total })
  })
  const either = AbortSignal.any([signal, context.stopping])
  try {
    while (!(await condition())) await sleep(LOOK_EVERY_MS, undefined, { signal: either })
  } finally {
    stop()
  }
}
