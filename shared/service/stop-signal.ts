const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * The signal that tells this process to leave in order. Heard from this call on: ask for it before anybody is told that
 * the process is ready, for whoever was told may stop it at once.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of SIGNALS) process.once(name, () => resolve(name))
  })
}
