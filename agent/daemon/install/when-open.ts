import { setTimeout as sleep } from 'node:timers/promises'
import { printWindow, untilOpen, type Window } from '../../../shared/windows/index.ts'
import type { AgentContext } from '../agent-context.ts'

/** The wall may jump, and a device may be carried to another zone: it is looked at again so often, ms. */
const LOOK_MS = 1_000

/** Resolves while one of the windows is open; at once where there are none. Rejects when it is given up. */
export async function whenOpen(
  model: string,
  windows: readonly Window[],
  { clock, log, timeZone }: Pick<AgentContext, 'clock' | 'log' | 'timeZone'>,
  signal: AbortSignal,
): Promise<void> {
  for (let told = false; untilOpen(windows, clock.now(), timeZone()) !== 0; told = true) {
    if (!told) log.info({ model, windows: windows.map(printWindow) }, 'waits for its window')
    await sleep(LOOK_MS, undefined, { signal })
  }
}
